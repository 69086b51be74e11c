/** What `write.lua` is given, and `split.lua` for each part: see their headers. */
import { aggregateAnchor, hasAggregates } from '../definitions/aggregate.js';
import { entryTtlMs } from '../definitions/entry-ttl.js';
import type { LaneGroup, RecordStore } from '../definitions/stores.js';
import { shareOf } from '../definitions/tenant.js';
import { splitField } from '../keys.js';
import type { Lane } from './lane.js';
import { type SplitPart, toLetters, type Write } from './step-replies.js';

const laneKeyCount = 8;

export function writeArguments(
  { keys, group, mark }: Lane,
  writes: readonly Write[],
  knownVersion: bigint,
): [keyCount: number, ...args: (string | number)[]] {
  const { meta, order, dirty, sealed, dead, waiting, retries, round } = keys;
  const { share, crowdedAt } = shareOf(group);
  const args: [number, ...(string | number)[]] = [
    laneKeyCount + writes.length,
    meta,
    order,
    dirty,
    sealed,
    dead,
    waiting,
    retries,
    round,
  ];
  for (const write of writes) args.push(keys.entryPrefix + write.field);
  args.push(
    keys.entryPrefix.length + 1,
    group.dirtyMax,
    group.dirtyBytesMax,
    group.minDelayMs,
    `${knownVersion}`,
    mark,
    ...livesOf(group.records[0]),
    toLetters(writes),
    share,
    crowdedAt,
  );
  for (const write of writes) args.push(write.payload);
  if (group.tenant) for (const { tenant = '' } of writes) args.push(tenant);
  if (hasAggregates(group)) args.push(...anchorsOf(group, writes), ...livesOfEach(group, writes));
  return args;
}

/** Whether each write makes an entry, and how long that of a row and that of its absence live, in ms. */
function livesOf(store: RecordStore | undefined): [cacheOnWrite: number, ttlMs: number, absentTtlMs: number] {
  const { cacheOnWrite = false, ttlMs = 1 } = store ?? {};
  return [cacheOnWrite ? 1 : 0, entryTtlMs(ttlMs, false), entryTtlMs(ttlMs, true)];
}

function anchorsOf(group: LaneGroup, writes: readonly Write[]): string[] {
  return writes.map(({ field }) => {
    const { store, idKey } = splitField(field);
    return aggregateAnchor(group, store, idKey) ?? '';
  });
}

function livesOfEach(group: LaneGroup, writes: readonly Write[]): string[] {
  const lives = new Map(group.records.map((store) => [store.name, livesOf(store).join(' ')]));
  return writes.map(({ field }) => lives.get(splitField(field).store) ?? '');
}

export function partArguments({ fate, waitMs, letter, row, error, anchor }: SplitPart): (string | number)[] {
  return [fate, waitMs, letter, row, error, anchor];
}
