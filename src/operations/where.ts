/**
 * "Where is my write?": all that forebay knows of one record, counter or cached value, in a few looks whose
 * cost does not grow with what is stored.
 */
import type { Found } from '../buffer/found.js';
import { WriteBuffer } from '../buffer/write-buffer.js';
import type { RedisClient } from '../connection/redis.js';
import type { Database } from '../database/database.js';
import { readLedgers } from '../database/ledger.js';
import { jsonOf, shownMessage } from '../definitions/private-fields.js';
import type { Stores } from '../definitions/stores.js';
import { isWriter } from '../definitions/writer.js';
import { ForebayError } from '../errors.js';
import { type Place, Places } from './places.js';
import {
  answerOf,
  type EntryFacts,
  entryFacts,
  type RecordFacts,
  recordFacts,
  timeOf,
} from './record-facts.js';
import { type RowFacts, rowFacts } from './row-facts.js';
import { type ValueFacts, valueFacts } from './value-facts.js';

export interface WhereDependencies {
  /** That of the lanes. */
  readonly redis: RedisClient;
  readonly prefix: string;
  /** What `defineStores` gave. Without it nothing of what records hold is shown, and no row is looked for. */
  readonly stores?: Stores | undefined;
  /** Where the rows are. Without it neither they nor the ledger are looked at. */
  readonly database?: Database | undefined;
}

export type Whereabouts = RecordWhereabouts | ValueWhereabouts;

/** Of a record or a counter. */
export interface RecordWhereabouts {
  readonly kind: 'record' | 'counter';
  readonly store: string;
  readonly id: string;
  /**
   * - `dirty`: accepted, and not yet in a batch. `waiting`: so, for it refers to a row that is not there yet
   * - `sealed`: in a batch that is on its way to the database
   * - `refused`: a dead letter
   * - `settled`: nothing of it is pending
   */
  readonly state: 'dirty' | 'waiting' | 'sealed' | 'refused' | 'settled';
  /** The state as a sentence. */
  readonly answer: string;
  /** Of its last write that is pending, else of its entry; undefined where neither is there. */
  readonly version?: string;
  readonly entry?: EntryFacts;
  readonly dirty?: RecordFacts & { readonly since?: Date };
  readonly waiting?: { readonly forMs: number; readonly retryInMs?: number };
  readonly sealed?: RecordFacts & {
    readonly batch: string;
    readonly sealedAt: Date;
    readonly failures: number;
  };
  readonly deadLetter?: {
    readonly refusedAt: Date;
    readonly at: string;
    readonly state: string;
    readonly message: string;
    readonly record?: RecordFacts;
  };
  /** Undefined: it was not looked for. `error`: it could not be read. */
  readonly row?: RowFacts;
  readonly lane: LaneFacts;
}

export interface LaneFacts {
  readonly name: string;
  /** The last that was accepted. */
  readonly version: string;
  /** The last batch that was sealed. */
  readonly lastFlush?: { readonly batch: string; readonly sealedAt: Date };
  /** The last batch that is in the database, by its ledger. */
  readonly ledger?: { readonly batch: string; readonly appliedAt: Date | undefined };
}

/** Of a cached value. */
export interface ValueWhereabouts extends ValueFacts {
  readonly kind: 'value';
  readonly key: string;
  readonly answer: string;
  /** Of a key whose values are written behind: the write. */
  readonly write?: RecordWhereabouts;
}

/**
 * @param what `STORE:ID` of a record, a counter or a computed store, or a cached value's key
 * @throws ForebayError INVALID_ID, INVALID_KEY; what Redis throws. What the database throws is in the answer
 */
export async function whereIs(what: string, dependencies: WhereDependencies): Promise<Whereabouts> {
  const colon = what.indexOf(':');
  if (colon < 1 || colon === what.length - 1)
    throw new ForebayError(
      'INVALID_KEY',
      `"${what}" names nothing: give STORE:ID, or the key of a cached value.`,
    );
  const { redis, prefix, stores } = dependencies;
  const places = await Places.read(redis, prefix, stores);
  const [store, id] = [what.slice(0, colon), what.slice(colon + 1)];
  const found = await firstKnown(places.of(store, id), dependencies);
  if (found) return found;
  const computed = stores?.computed.get(store);
  return whereIsValue(computed ? computed.options.key(id) : what, dependencies, places);
}

/** The place that is the record's; of those where it might be, the first that knows anything. */
async function firstKnown(
  places: readonly Place[],
  dependencies: WhereDependencies,
): Promise<RecordWhereabouts | undefined> {
  const [only] = places;
  if (only?.isCertain) return whereIsRecord(only, dependencies);
  const all = await Promise.all(places.map((place) => whereIsRecord(place, dependencies)));
  return all.find(({ state, entry }) => state !== 'settled' || entry);
}

async function whereIsRecord(place: Place, dependencies: WhereDependencies): Promise<RecordWhereabouts> {
  const { redis, prefix } = dependencies;
  const { store, idKey, lane, field, rowField, definition } = place;
  const found = await new WriteBuffer(redis, prefix).find(lane, field, rowField);
  const ledger = await ledgerOf(place, dependencies);
  // Behind the look at the lane: what was acknowledged by then is in the row.
  const row = await rowFacts(place, dependencies);
  const facts = factsOf(found, place);
  const state = stateOf(facts);
  return {
    kind: definition?.kind ?? kindOf(found),
    store,
    id: idKey,
    state,
    answer: answerOf(state, facts, row),
    ...versionOf(facts),
    ...facts,
    ...(row && { row }),
    lane: { name: lane.name, version: `${found.lane.version}`, ...lastFlush(found), ...ledger },
  };
}

type Facts = Pick<RecordWhereabouts, 'entry' | 'dirty' | 'waiting' | 'sealed' | 'deadLetter'>;

function factsOf({ now, lane, entry, dirty, sealed, waiting, letter }: Found, place: Place): Facts {
  const { definition } = place;
  const batch = lane.sealedBatch;
  return {
    ...(entry && { entry: entryFacts(entry, definition) }),
    ...(dirty && {
      dirty: {
        ...recordFacts(dirty.record, definition),
        ...(dirty.since !== undefined && { since: timeOf(dirty.since) }),
      },
    }),
    ...(waiting && { waiting: waitingFacts(waiting, now) }),
    ...(sealed !== undefined &&
      batch !== undefined && {
        sealed: {
          ...recordFacts(sealed, definition),
          batch: `${batch}`,
          sealedAt: timeOf(batch),
          failures: lane.failures,
        },
      }),
    ...(letter && { deadLetter: letterFacts(letter, place) }),
  };
}

function waitingFacts({ forMs, retryAt }: NonNullable<Found['waiting']>, now: bigint) {
  return { forMs, ...(retryAt !== undefined && { retryInMs: Math.max(0, Number(retryAt - now) / 1_000) }) };
}

function letterFacts({ at, error, record }: NonNullable<Found['letter']>, { definition }: Place) {
  return {
    refusedAt: timeOf(BigInt(at)),
    at,
    state: error.state,
    message: messageFor(error.message, record, definition),
    ...(record !== undefined && { record: recordFacts(record, definition) }),
  };
}

/** Letters that were made before a field was private may still tell of it. */
function messageFor(message: string, record: string | undefined, definition: Place['definition']): string {
  const rowStore = definition?.kind === 'counter' ? definition.record : definition;
  const json = record === undefined ? undefined : jsonOf(record);
  return rowStore ? shownMessage(message, json === undefined ? [] : [json], rowStore) : message;
}

function stateOf({ dirty, waiting, sealed, deadLetter }: Facts): RecordWhereabouts['state'] {
  // Now and then it is sealed, to be tried again.
  if (waiting) return 'waiting';
  if (dirty) return 'dirty';
  if (sealed) return 'sealed';
  return deadLetter ? 'refused' : 'settled';
}

function versionOf({ dirty, sealed, entry, deadLetter }: Facts): { version?: string } {
  const version = (dirty ?? sealed ?? deadLetter?.record)?.version ?? entry?.version;
  return version === undefined ? {} : { version };
}

/** Where the definitions are not known: a counter's records and entries are plain integers. */
function kindOf({ dirty, sealed, entry }: Found): 'record' | 'counter' {
  return /^-?\d+$/.test(dirty?.record ?? sealed ?? entry?.content ?? '') ? 'counter' : 'record';
}

function lastFlush({ lane: { batch } }: Found): Pick<LaneFacts, 'lastFlush'> {
  return batch === undefined ? {} : { lastFlush: { batch: `${batch}`, sealedAt: timeOf(batch) } };
}

async function ledgerOf(
  { lane }: Place,
  { database, prefix }: WhereDependencies,
): Promise<Pick<LaneFacts, 'ledger'>> {
  if (database === undefined) return {};
  // The answer about the row says what is wrong with the database.
  const known = await readLedgers(database, prefix, [lane]).catch(() => undefined);
  const ledger = known?.get(lane);
  return ledger ? { ledger: { batch: `${ledger.batch}`, appliedAt: ledger.appliedAt } } : {};
}

async function whereIsValue(
  key: string,
  dependencies: WhereDependencies,
  places: Places,
): Promise<ValueWhereabouts> {
  const writer = writerOf(key, dependencies.stores);
  const [place] = writer === undefined ? [] : places.of(writer, key);
  const facts = await valueFacts(key, dependencies);
  const write = place && (await whereIsRecord(place, dependencies));
  const isPending = write !== undefined && write.state !== 'settled';
  const answer = isPending ? `${facts.answer} Its last write: ${write.answer}` : facts.answer;
  return { kind: 'value', key, ...facts, answer, ...(write && { write }) };
}

/** The store through which a key's values are written behind. */
function writerOf(key: string, stores: Stores | undefined): string | undefined {
  const all = Object.entries(stores?.definitions ?? {});
  return all.find(([, one]) => isWriter(one) && key.startsWith(`${one.writerOf}:`))?.[0];
}
