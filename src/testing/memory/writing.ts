/**
 * The way of writes of a test's app, and the clients of its record and counter stores: the true ones,
 * over memory.
 */
import { Lanes } from '../../buffer/lane.js';
import type { LaneRoutes } from '../../buffer/lane-follower.js';
import type { ReadingParts } from '../../cache/cache.js';
import { BatchedGet } from '../../cache/redis/batched-get.js';
import type { ClientContext } from '../../client/context.js';
import { PersistedWatch } from '../../client/receipts/persisted.js';
import { CounterClient } from '../../client/stores/counter-client.js';
import { RecordClient } from '../../client/stores/record-client.js';
import { type StoredClient, Together } from '../../client/writing/together.js';
import { WriteQueue } from '../../client/writing/write-queue.js';
import { WriteRoute } from '../../client/writing/write-route.js';
import type { Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import type { Resources } from '../../resources.js';
import type { TestClock } from '../clock.js';
import type { Faults } from '../faults.js';
import { MemoryBuffer } from './buffer.js';
import type { MemoryBus } from './bus.js';
import { MemoryEntries } from './entries.js';
import { MemoryTables } from './tables.js';
import { MemoryWorker } from './worker.js';

export interface MemoryWritingOptions {
  readonly stores: Stores;
  readonly prefix: string;
  readonly reading: ReadingParts;
  readonly clock: TestClock;
  readonly faults: Faults;
  readonly bus: MemoryBus;
  readonly emit: Emit;
}

/** There is no way to it that could be lost. */
const connected = { status: 'ready', on: () => undefined, off: () => undefined };

/** What is accepted here is as safe as memory can make it. */
const asDurable = (route: WriteRoute) => ({ open: async () => route, missing: async () => undefined });

/** Nobody changes how many lanes there are. */
const routes: LaneRoutes = { moved: async () => undefined, refresh: async () => false };

export type MemoryWriting = ReturnType<typeof openMemoryWriting>;

export function openMemoryWriting(options: MemoryWritingOptions, resources: Resources) {
  const { stores, prefix, reading, clock, faults, bus, emit } = options;
  const lanes = new Lanes(stores, prefix);
  const entries = new MemoryEntries(clock);
  const buffer = new MemoryBuffer({ entries, clock, faults, bus, prefix });
  const tables = new MemoryTables({
    faults,
    batchOf: (ledgerLane) => batchOf(ledgerLane.slice(prefix.length + 1)),
  });
  const batchOf = (name: string): bigint | undefined => {
    const lane = lanes.named(name);
    return (lane && buffer.memoryOf(lane).batch) || undefined;
  };
  const worker = new MemoryWorker({ lanes, buffer, tables, clock, faults, bus, prefix, emit });
  resources.own('worker', worker, (it) => it.close());
  const ledgerOf = async () => undefined;
  const watch = new PersistedWatch({ subscriber: bus, buffer, queue: worker, ledgerOf, prefix, emit });
  resources.own('receipts', watch, (it) => it.close());
  const route = { redis: connected, buffer };
  const durable = asDurable(new WriteRoute(route));
  const writes = new WriteQueue({ route, durable, queue: worker, watch, lanes, routes, emit });
  resources.own('writes', writes, (it) => it.close());
  const context: ClientContext = {
    prefix,
    lanes,
    routes,
    buffer,
    writes,
    reading,
    emit,
    loaders: tables,
    receipts: { watch, buffer, emit },
    ...readsOf(entries, faults),
  };
  const clients = clientsOf(stores, context);
  const together = new Together(stores, context, clients);
  return { lanes, routes, buffer, tables, worker, watch, writes, together, clients };
}

function readsOf(
  held: MemoryEntries,
  faults: Faults,
): Pick<ClientContext, 'redis' | 'entries' | 'breaker' | 'dropEntries'> {
  const asked = async <T>(answer: () => T): Promise<T> => {
    faults.pass('redis');
    return answer();
  };
  return {
    redis: {
      get: (key) => asked(() => held.get(key)),
      pttl: (key) => asked(() => held.leftMs(key)),
      unlink: (...keys) => asked(() => keys.filter((key) => held.delete(key)).length),
    },
    entries: new BatchedGet((keys) => asked(() => keys.map((key) => held.get(key)))),
    breaker: { run: (call) => call() },
    dropEntries: (lanes) =>
      asked(() => {
        const starts = lanes.map(({ keys }) => keys.entryPrefix);
        for (const key of held.keys()) if (starts.some((start) => key.startsWith(start))) held.delete(key);
      }),
  };
}

function clientsOf(stores: Stores, context: ClientContext): Record<string, StoredClient> {
  const clients = [...stores.byName].map(([name, store]): [string, StoredClient] => [
    name,
    store.kind === 'record' ? new RecordClient(context, store) : new CounterClient(context, store),
  ]);
  return Object.fromEntries(clients);
}
