/**
 * Computed stores: values that a loader derives, such as dashboards and statistics. They are cached, and
 * never written.
 */
import { quoted } from '../given.js';
import type { CacheKey } from './cache-key.js';
import type { RecordDefinition } from './record.js';

/** What the loader and the list of a computed store are given. */
export interface ComputeContext<Prisma> {
  /** The app's or the worker's Prisma client. */
  readonly prisma: Prisma;
  /** Aborted when the load has taken too long. */
  readonly signal: AbortSignal;
}

/** When a read has a value computed anew that is fresh still, by a refresh worker. */
export interface RefreshOptions {
  /**
   * After this share of its fresh life, above 0 and below 1; or 'xfetch': by chance, the likelier the nearer
   * its end is and the longer its load took (Vattani, Chierichetti, Lowenstein: "Optimal probabilistic cache
   * stampede prevention", VLDB 2015). Default 0.8.
   */
  readonly when?: RefreshWhen;
  /**
   * Loads of the store that one refresh worker has under way at once, each of 25 values at most. Default 4.
   */
  readonly concurrency?: number;
}

/**
 * A share of a value's fresh life, above 0 and below 1; or 'xfetch': by chance, the likelier the nearer its
 * end is and the longer its load took.
 */
export type RefreshWhen = number | 'xfetch';

/** The page of ids that a list is asked for. */
export interface WarmRequest {
  /** The last id of the page before; undefined for the first page. */
  readonly after: string | undefined;
  /** Most ids to give; fewer end the run. */
  readonly limit: number;
}

/** What is computed before anybody asks for it: on a schedule, or by `cache:warm`. */
export interface WarmOptions<Prisma> {
  /**
   * Gives a page of ids, one query for each; in an order in which the ids after one can be found. Or
   * 'hottest': what apps have read most, lately.
   */
  readonly list:
    | 'hottest'
    | ((request: WarmRequest, context: ComputeContext<Prisma>) => Promise<readonly string[]>);
  /** Most values of a run. Default 1,000. */
  readonly max?: number;
  /** Ids of one page: they are loaded at once. Default 100. */
  readonly pageIdsMax?: number;
  /** How long a warmed value is fresh, in ms. Default: as other values of the store. */
  readonly ttlMs?: number;
  /**
   * Most of a run's time that it may keep the database busy, above 0 and up to 1; it rests the other part.
   * Default 0.5.
   */
  readonly loadShare?: number;
  /** Of 'hottest': after so long a read counts half, in ms. Default 3,600,000. */
  readonly halfLifeMs?: number;
}

/** The columns of a row by the model's fields, as Postgres writes them: texts, and null for NULL. */
export type RowTexts = Readonly<Record<string, string | null>>;

/** A row that was written, by whomever. */
export interface ChangedRow {
  /** The name of its record store. */
  readonly store: string;
  /** What was done. */
  readonly kind: 'insert' | 'update' | 'delete';
  /** The row now; not of a delete. */
  readonly after?: RowTexts;
  /**
   * The row before: of a delete, its id; of an update that leaves the id, nothing. With REPLICA IDENTITY FULL
   * of both, all of it.
   */
  readonly before?: RowTexts;
}

/** What a computed store is. */
export interface ComputedOptions<Value, Prisma> {
  /** The key of each value, e.g. `DashboardCacheKeys.overview`: one generator, whatever the id. */
  readonly key: (id: string) => CacheKey<Value>;
  /** How long a value is fresh, in ms. Default: as its key says, else 900,000. */
  readonly ttlMs?: number;
  /** How long after that it is served while it is computed anew in the background, in ms. Default 0. */
  readonly graceMs?: number;
  /** A load that takes longer fails, in ms. Default 10,000. */
  readonly loadTimeoutMs?: number;
  /** All values are stale once one of them is invalidated. */
  readonly tags?: readonly string[];
  /**
   * Record stores whose rows the values are made of: when one of these is written, by whomever, a change
   * worker drops the values of `idsOf`. Default: none.
   */
  readonly dependsOn?: readonly RecordDefinition[];
  /**
   * Which values a row is a part of, by id; not async. Default, and where it throws or gives anything else:
   * all of them.
   */
  idsOf?(change: ChangedRow): readonly string[] | 'all';
  /**
   * Has values computed before they go stale, by workers, as long as they are read. Default: a stale value is
   * computed by its reader.
   */
  readonly refresh?: RefreshOptions;
  /** What `cache:warm` and schedules compute ahead. Default: nothing. */
  readonly warm?: WarmOptions<Prisma>;
  /**
   * Computes values, by id; ids without a value are left out. One query for all of them, where that can be.
   */
  load(ids: readonly string[], context: ComputeContext<Prisma>): Promise<ReadonlyMap<string, Value>>;
}

/** A computed store's definition, for `defineStores`. */
export interface ComputedDefinition<Value = unknown> {
  /** Tells it from other definitions. */
  readonly kind: 'computed';
  /** As they were given. */
  // A method of any client: which one it is, the app's own `connect` knows.
  readonly options: ComputedOptions<Value, never>;
}

/**
 * A store of computed values: `computed({ key: DashboardCacheKeys.overview, load: (ids, { prisma }:
 * ComputeContext<PrismaClient>) => … })`.
 */
export function computed<Value, Prisma>(options: ComputedOptions<Value, Prisma>): ComputedDefinition<Value> {
  return { kind: 'computed', options: options as ComputedOptions<Value, never> };
}

/** A computed store by name, its options complete. */
export interface ComputedStore {
  readonly kind: 'computed';
  readonly name: string;
  readonly options: ComputedDefinition['options'];
  /** Undefined: reads do not have it computed ahead. */
  readonly refreshWhen: RefreshWhen | undefined;
  readonly refreshConcurrency: number;
  readonly warm:
    | (Required<Omit<WarmOptions<never>, 'ttlMs'>> & { readonly ttlMs: number | undefined })
    | undefined;
}

const refreshDefaults = { when: 0.8, concurrency: 4 };
const warmDefaults = { max: 1_000, pageIdsMax: 100, loadShare: 0.5, halfLifeMs: 3_600_000 };

export function bindComputed(name: string, { options }: ComputedDefinition): ComputedStore {
  const { refresh, warm } = options;
  return {
    kind: 'computed',
    name,
    options,
    refreshWhen: refresh && (refresh.when ?? refreshDefaults.when),
    refreshConcurrency: refresh?.concurrency ?? refreshDefaults.concurrency,
    warm: warm && { ttlMs: undefined, ...warmDefaults, ...leftIn(warm) },
  };
}

/** Without what is undefined, which counts as left out. */
function leftIn<O extends object>(options: O): O {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O;
}

/** [least, most, must it be whole]: the share bounds exclude 0. */
const bounds: Readonly<Record<string, readonly [number, number, boolean]>> = {
  ttlMs: [1, 31_536_000_000, true],
  graceMs: [0, 31_536_000_000, true],
  loadTimeoutMs: [1, 3_600_000, true],
  'refresh.concurrency': [1, 1_000, true],
  'warm.max': [1, 10_000_000, true],
  'warm.pageIdsMax': [1, 5_000, true],
  'warm.ttlMs': [1, 31_536_000_000, true],
  'warm.loadShare': [0.01, 1, false],
  'warm.halfLifeMs': [1, 31_536_000_000, true],
};

/** What is wrong with the options, in words. */
export function computedProblems(name: string, { options }: ComputedDefinition): string[] {
  const { refresh = {}, warm, ...others } = options;
  const given = {
    ...others,
    ...prefixed('refresh', refresh),
    ...prefixed('warm', warm ?? {}),
  };
  return [
    ...Object.entries(given).flatMap(([option, value]) => boundProblems(name, option, value)),
    ...whenProblems(name, refresh),
  ];
}

function prefixed(group: string, options: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([option, value]) => [`${group}.${option}`, value]));
}

function boundProblems(name: string, option: string, value: unknown): string[] {
  const bound = bounds[option];
  if (bound === undefined || value === undefined) return [];
  const [min, max, isWhole] = bound;
  const isValid =
    typeof value === 'number' && value >= min && value <= max && (!isWhole || Number.isInteger(value));
  return isValid
    ? []
    : [
        `${name}: ${option} must be ${isWhole ? 'an integer' : 'a number'} from ${min} to ${max}, not ${quoted(value)}.`,
      ];
}

function whenProblems(name: string, { when }: RefreshOptions): string[] {
  const isValid =
    when === undefined || when === 'xfetch' || (typeof when === 'number' && when > 0 && when < 1);
  return isValid
    ? []
    : [`${name}: refresh.when must be 'xfetch' or a share between 0 and 1, not ${quoted(when)}.`];
}
