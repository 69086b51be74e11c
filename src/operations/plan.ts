/**
 * What a load takes: an estimate from processor times of a write, as `npm run bench -- write-behind` and
 * `scale` measure them. They differ from machine to machine by a factor of two; what they are to each other
 * hardly does.
 */
import { optionBounds } from '../definitions/store-problems.js';
import { defaults } from '../definitions/stores.js';

/** What is to be carried. */
export interface Load {
  readonly writesPerSecond: number;
  /** Of a row's JSON. */
  readonly rowBytes: number;
  /** Writes of a row before it is flushed: 1 when each is of another row. */
  readonly writesPerRow: number;
  /** Record stores that share the load. */
  readonly stores: number;
  /** How long Postgres may be away with nothing refused, in ms. */
  readonly outageMs: number;
}

/** Processor time, in µs. */
export interface Cost {
  /** Of a write, or of a row. */
  readonly each: number;
  /** More for each 1,000 bytes of its JSON. */
  readonly perKilobyte: number;
}

/** A test holds them to bench/results: write-behind.json and scale.json. */
export const costs = {
  app: { each: 15, perKilobyte: 8 },
  redis: { each: 13, perKilobyte: 11 },
  /** Of a row that is flushed. */
  worker: { each: 9, perKilobyte: 19 },
  /** Of a row with one index besides its id; more indexes and foreign keys cost twice that and more. */
  postgres: { each: 12, perKilobyte: 28 },
} as const satisfies Record<string, Cost>;

/** Bytes of Redis for a dirty record, besides its JSON. */
export const recordBytes = 300;
/** The same as a lane counts them: version, release, and what a put leaves to the row. */
export const countedBytes = 80;
/** The same in the append-only file, for each write. */
export const writtenBytes = 350;
/** A process, a master or a core that is busier than that has no room for a peak. */
export const busyMax = 0.6;
/**
 * With fewer none could take another's place, see
 * https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/
 */
const clusterMastersMin = 3;
/** Lanes have records by chance: hardly one has more than so many standard deviations above its share. */
const deviations = 5;

export interface Part {
  /** Busy cores. */
  readonly cores: number;
  /** Processes, or masters: each has one thread; of Postgres cores. */
  readonly count: number;
}

export interface Plan {
  readonly app: Part;
  readonly redis: Part;
  readonly worker: Part;
  readonly postgres: Part;
  /** Of each store; a power of two, and no more than a store can have. */
  readonly partitions: number;
  /** Dirty records of a lane, and their bytes, once Postgres was away for so long; the defaults at least. */
  readonly dirtyMax: number;
  readonly dirtyBytesMax: number;
  /** Of Redis for all of them. */
  readonly backlogBytes: number;
  /** Of the append-only file, before it is rewritten. */
  readonly fileBytesPerSecond: number;
}

export type PartName = 'app' | 'redis' | 'worker' | 'postgres';

export function planOf(load: Load): Plan {
  const { writesPerSecond, rowBytes, writesPerRow, stores, outageMs } = load;
  const rowsPerSecond = writesPerSecond / writesPerRow;
  const app = partOf(writesPerSecond, costs.app, rowBytes);
  const redis = mastersOf(partOf(writesPerSecond, costs.redis, rowBytes));
  const worker = partOf(rowsPerSecond, costs.worker, rowBytes);
  const postgres = partOf(rowsPerSecond, costs.postgres, rowBytes);
  // One goes on when the other dies, or is replaced by a deploy.
  const workers = Math.max(2, worker.count);
  const records = (rowsPerSecond * outageMs) / 1_000;
  const lanesForRecords = records / (optionBounds.dirtyMax[1] / 2);
  const lanesMin = Math.max(defaults.partitions, 2 * workers, 2 * redis.count, lanesForRecords);
  const partitions = Math.min(powerOfTwo(lanesMin / stores), optionBounds.partitions[1]);
  const backlogBytes = Math.ceil(records * (recordBytes + rowBytes));
  const share = records / (partitions * stores);
  const inLane = Math.ceil(share + deviations * Math.sqrt(share));
  return {
    app,
    redis,
    worker: { ...worker, count: workers },
    postgres,
    partitions,
    dirtyMax: Math.max(inLane, defaults.dirtyMax),
    dirtyBytesMax: Math.max(inLane * (countedBytes + rowBytes), defaults.dirtyBytesMax),
    backlogBytes,
    fileBytesPerSecond: Math.ceil(writesPerSecond * (writtenBytes + rowBytes)),
  };
}

/** In µs. */
export function costOf({ each, perKilobyte }: Cost, rowBytes: number): number {
  return each + (perKilobyte * rowBytes) / 1_000;
}

/** What is full first when the load grows and nothing is added: the busiest thread. */
export function fullFirst({ app, redis, worker }: Plan): Exclude<PartName, 'postgres'> {
  const busy = {
    app: app.cores / app.count,
    redis: redis.cores / redis.count,
    worker: worker.cores / worker.count,
  };
  const [[first]] = Object.entries(busy).sort(([, a], [, b]) => b - a) as [[keyof typeof busy, number]];
  return first;
}

function partOf(perSecond: number, cost: Cost, rowBytes: number): Part {
  const cores = (perSecond * costOf(cost, rowBytes)) / 1_000_000;
  return { cores, count: Math.max(1, Math.ceil(cores / busyMax)) };
}

function mastersOf({ cores, count }: Part): Part {
  return { cores, count: count === 1 ? 1 : Math.max(clusterMastersMin, count) };
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, atLeast)));
}
