/** Dead letters found by store, id, error and time, and grouped by what the database says. */
import type { LanePlace } from '../buffer/lane.js';
import { readLetterErrors, type SaidOfLetter } from '../buffer/letter-errors.js';
import type { LetterError, LetterName } from '../buffer/step-replies.js';
import type { DeadLetters } from '../client/dead-letters.js';
import type { RedisClient } from '../connection/redis.js';
import { shownMessage, withoutDetail } from '../definitions/private-fields.js';
import { splitField } from '../keys.js';
import type { Places } from './places.js';

/** What is looked for: letters for which all of it holds. */
export interface LetterQuery {
  readonly store?: string | undefined;
  /** A part of the id. */
  readonly id?: string | undefined;
  /** A part of the SQLSTATE or of the message, in whatever case. */
  readonly error?: string | undefined;
  /** Refused then or later. */
  readonly since?: Date | undefined;
  /** Refused no later, in µs since 1970: what came since nobody has seen yet. */
  readonly until?: string | undefined;
  /** A group's `key`. */
  readonly group?: string | undefined;
}

export interface FoundLetter {
  readonly store: string;
  readonly id: string;
  readonly lane: string;
  readonly refusedAt: Date;
  readonly error: LetterError;
  /** Of its group. */
  readonly group: string;
  /** For `replay` and `discard`. */
  readonly name: LetterName;
}

/** Letters of a store that were refused alike. */
export interface LetterGroup {
  readonly key: string;
  readonly store: string;
  /** The latest one's. */
  readonly error: LetterError;
  readonly count: number;
  readonly first: Date;
  readonly last: Date;
}

export interface FoundLetters {
  /** The latest first. */
  readonly letters: readonly FoundLetter[];
  /** The largest first. */
  readonly groups: readonly LetterGroup[];
  /** There are more letters than are looked at. */
  readonly isCut: boolean;
}

export interface LetterSearchDependencies {
  /** That of the lanes. */
  readonly redis: RedisClient;
  readonly places: Places;
}

const pageSize = 500;
/** Of one search, over all lanes: for some tenths of a second. */
const lookedAtMax = 20_000;
const atOnceMax = 32;

/** @throws what Redis throws */
export async function searchLetters(
  query: LetterQuery,
  { redis, places }: LetterSearchDependencies,
): Promise<FoundLetters> {
  const letters: FoundLetter[] = [];
  let left = lookedAtMax;
  for (const lane of places.letterLanes().all) {
    const seen = await lettersOf(lane, redis, left);
    left -= seen.length;
    letters.push(...seen.map((letter) => shown(letter, places)).filter((letter) => isMeant(letter, query)));
  }
  letters.sort((a, b) => Number(BigInt(b.name.at) - BigInt(a.name.at)));
  return { letters, groups: groupsOf(letters), isCut: left <= 0 };
}

/**
 * Replays letters or discards them; returns how many. Those that are gone meanwhile are passed over.
 * @throws as `DeadLetters` does
 */
export async function settleLetters(
  act: 'replay' | 'discard',
  letters: readonly Pick<FoundLetter, 'lane' | 'name'>[],
  deadLetters: Pick<DeadLetters, 'replay' | 'discard'>,
): Promise<number> {
  let settled = 0;
  for (let i = 0; i < letters.length; i += atOnceMax) {
    const some = letters.slice(i, i + atOnceMax);
    const done = await Promise.all(some.map((letter) => deadLetters[act](letter)));
    settled += done.filter(Boolean).length;
  }
  return settled;
}

async function lettersOf(lane: LanePlace, redis: RedisClient, max: number): Promise<FoundLetter[]> {
  const found: FoundLetter[] = [];
  for (let offset = 0; offset < max; offset += pageSize) {
    const page = await readLetterErrors(redis, lane, { offset, count: Math.min(pageSize, max - offset) });
    found.push(...page.map((letter) => toFound(lane, letter)));
    if (page.length < pageSize) break;
  }
  return found;
}

function toFound({ name: lane }: LanePlace, letter: SaidOfLetter): FoundLetter {
  const { field, at, error } = letter;
  const { store, idKey } = splitField(field);
  const group = groupKey(store, error);
  return {
    store,
    id: idKey,
    lane,
    refusedAt: new Date(Number(at) / 1_000),
    error,
    group,
    name: { field, at },
  };
}

/** Letters that were made before a field was private may still tell of it. */
function shown(letter: FoundLetter, { stores }: Places): FoundLetter {
  const definition = stores?.byName.get(letter.store);
  const rowStore = definition?.kind === 'counter' ? definition.record : definition;
  if (!rowStore) return letter;
  const { state, message } = letter.error;
  return { ...letter, error: { state, message: shownMessage(message, [], rowStore) } };
}

function isMeant(letter: FoundLetter, { store, id, error, since, until, group }: LetterQuery): boolean {
  const said = `${letter.error.state} ${letter.error.message}`.toLowerCase();
  return (
    (!store || letter.store === store) &&
    (!id || letter.id.includes(id)) &&
    (!error || said.includes(error.toLowerCase())) &&
    (!since || letter.refusedAt >= since) &&
    (!until || BigInt(letter.name.at) <= BigInt(until)) &&
    (!group || letter.group === group)
  );
}

/** Alike: of one store and SQLSTATE, and with one message but for what it says of the row. */
function groupKey(store: string, { state, message }: LetterError): string {
  const alike = withoutDetail(message)
    .split('\n', 1)[0]
    ?.replace(/: ".*$/, ': "…"')
    .replace(/\d+/g, '#');
  return `${store} ${state} ${alike}`;
}

/** @param letters the latest first */
function groupsOf(letters: readonly FoundLetter[]): LetterGroup[] {
  const byKey = new Map<string, FoundLetter[]>();
  for (const letter of letters) {
    const group = byKey.get(letter.group);
    if (group) group.push(letter);
    else byKey.set(letter.group, [letter]);
  }
  const groups = [...byKey].map(([key, [latest, ...others]]): LetterGroup => {
    const { store, error, refusedAt } = latest as FoundLetter;
    return {
      key,
      store,
      error,
      count: others.length + 1,
      first: others.at(-1)?.refusedAt ?? refusedAt,
      last: refusedAt,
    };
  });
  return groups.sort((a, b) => b.count - a.count);
}
