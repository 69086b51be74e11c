/**
 * Every Redis key and channel of forebay, and a lane's name in the ledger, in one place.
 *
 * A lane's keys share one hash tag, `{prefix:store/partition~mark}`, so that one Lua call can touch all of
 * them in a cluster. An entry's key ends with its field (`store:id`), which is also the record's field in
 * the lane's hashes: the scripts cut it from the key.
 */

/** Names that a store can't have, because a lane's own keys end with them. */
export const reservedStoreNames: readonly string[] = [
  'meta',
  'order',
  'dirty',
  'sealed',
  'dead',
  'waiting',
  'retries',
  'foreign',
  'round',
];

export interface LaneKeys {
  /** What entries' keys begin with: the hash tag and a colon. */
  readonly entryPrefix: string;
  readonly meta: string;
  readonly order: string;
  readonly dirty: string;
  readonly sealed: string;
  readonly dead: string;
  readonly waiting: string;
  readonly retries: string;
  readonly foreign: string;
  readonly round: string;
}

/** @param name of the lane's tag, see `laneTag` */
export function laneKeys(name: string): LaneKeys {
  const tag = `{${name}}`;
  return {
    entryPrefix: `${tag}:`,
    meta: `${tag}:meta`,
    order: `${tag}:order`,
    dirty: `${tag}:dirty`,
    sealed: `${tag}:sealed`,
    dead: `${tag}:dead`,
    waiting: `${tag}:waiting`,
    retries: `${tag}:retries`,
    foreign: `${tag}:foreign`,
    round: `${tag}:round`,
  };
}

/** A dead letter: a hash beside the set of them, so that scripts can make its key. */
export function letterKey({ dead }: Pick<LaneKeys, 'dead'>, field: string): string {
  return `${dead}:${field}`;
}

/** The name of a lane in the ledger: two prefixes on one database must not fence each other. */
export function ledgerLane(prefix: string, lane: string): string {
  return `${prefix}:${lane}`;
}

/** The name of the messages in Postgres's WAL that tell change workers what a batch writes. */
export function writtenMessage(prefix: string): string {
  return `forebay:${prefix}:written`;
}

/** A record's or counter's field in the lane's hashes, and the end of its entry's key. */
export function fieldOf(store: string, idKey: string): string {
  return `${store}:${idKey}`;
}

export function splitField(field: string): { store: string; idKey: string } {
  const colon = field.indexOf(':');
  return { store: field.slice(0, colon), idKey: field.slice(colon + 1) };
}

/** Hash of store name → number of its lanes, to notice a change of it, and how their tags are made. */
export function partitionsKey(prefix: string): string {
  return `{${prefix}}:partitions`;
}

/** Set of the stores whose flushes are paused. */
export function pausedKey(prefix: string): string {
  return `{${prefix}}:paused`;
}

/** Channel on which each acknowledged batch is announced, as `lane watermark generation waiting`. */
export function persistedChannel(prefix: string): string {
  return `{${prefix}}:persisted`;
}

/** Channel on which an app without BullMQ asks for a lane's flush, as `lane delayMs isHurry id`. */
export function wakeUpChannel(prefix: string): string {
  return `{${prefix}}:wake-up`;
}

/** Of the readers of Postgres's changes: the one that drops entries, with a life; and how far it has come. */
export function changesKeys(prefix: string): { reader: string; told: string } {
  const start = `{${prefix}}:changes`;
  return { reader: `${start}:reader`, told: `${start}:told` };
}

/** Hash of what was flushed in a minute since 1970: `lane rows`, `lane batches`, `lane ms`. */
export function historyKey(prefix: string, minute: number): string {
  return `{${prefix}}:history:${minute}`;
}

/** Sorted set of the processes that were lately at work, by id. */
export function processesKey(prefix: string): string {
  return `{${prefix}}:processes`;
}

/** What a process tells of itself. */
export function processKey(prefix: string, id: string): string {
  return `{${prefix}}:process:${id}`;
}

/** What sessions of the board are signed with. */
export function boardSecretKey(prefix: string): string {
  return `{${prefix}}:board-secret`;
}

/** BullMQ's prefix: a hash tag, so that a queue's keys share one slot. */
export function queuePrefix(prefix: string): string {
  return `{${prefix}:queues}`;
}

/** The entry of a cached value. Keys of lanes and queues begin with a `{`, so they can't meet. */
export function cacheEntryKey(prefix: string, key: string): string {
  return `${prefix}:${key}`;
}

/** The key, or `#` and the tag, that an entry belongs to. */
export function cacheKeyOf(prefix: string, entryKey: string): string {
  return entryKey.slice(prefix.length + 1);
}

/** No key that a user gives begins with this. */
export const tagMark = '#';

/** A tag's version. */
export function tagKey(prefix: string, tag: string): string {
  return `${prefix}:${tagMark}${tag}`;
}

/** Of a store: how often its values were read, and when the counting began. */
export function hottestKeys(prefix: string, store: string): { reads: string; since: string } {
  const start = `{${prefix}:hottest}:${store}`;
  return { reads: `${start}:reads`, since: `${start}:since` };
}

/** Channel on which it is told that an entry was filled or given back, for those who wait for it. */
export function filledChannel(prefix: string): string {
  return `{${prefix}}:filled`;
}

/** Redis's own channel, on which it tells of keys that were changed. */
export const invalidationsChannel = '__redis__:invalidate';

/** Matches all keys of lanes, in Redis's own way of patterns. */
export function lanesPattern(prefix: string): string {
  return `{${prefix.replace(/[\\*?[\]]/g, String.raw`\$&`)}:*`;
}
