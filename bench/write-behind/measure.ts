/** One run of a contestant: on empty tables, with the services' share of the work, and its result checked. */
import { cpus } from 'node:os';
import type { BenchContext } from '../bench.js';
import { redisCpuMs } from '../redis-cpu.js';
import { count } from '../text-table.js';
import { type Correctness, checkRows, wrongRows } from './check.js';
import type { Carried, Contestant, Mode } from './contestant.js';
import { parentIds, type Table } from './rows.js';
import type { Workload } from './workload.js';

export interface Measurement extends Carried {
  readonly contestant: string;
  readonly mode: string;
  readonly workload: Workload;
  readonly redisCpuMs: number;
  /** Of all cores and everything on the machine, Postgres included. */
  readonly machineCpuMs: number;
  readonly correctness: Correctness;
}

export interface Order {
  readonly contestant: Contestant;
  readonly workload: Workload;
  readonly mode: Mode;
}

/** Other work on the machine only ever slows a run down, so the fastest says most; its rows must be right each time. */
const runs = 3;

/** The contestants take turns, for a machine is not equally fast from minute to minute. */
export async function measureFastest(
  orders: readonly Order[],
  context: BenchContext,
): Promise<Measurement[]> {
  const fastest: Measurement[] = [];
  for (let run = 0; run < runs; run++) {
    for (const [nth, order] of orders.entries()) {
      const next = await measure(order, context);
      fastest[nth] = fasterOf(fastest[nth] ?? next, next);
    }
  }
  return fastest;
}

function fasterOf(one: Measurement, other: Measurement): Measurement {
  const fastest = other.persistedMs < one.persistedMs ? other : one;
  const isWorse = wrongRows(other.correctness) > wrongRows(one.correctness);
  return { ...fastest, correctness: (isWorse ? other : one).correctness };
}

export async function measure(order: Order, { place, progress, signal }: BenchContext): Promise<Measurement> {
  const { contestant, workload, mode } = order;
  signal.throwIfAborted();
  const writes = count(workload.writes);
  progress.step(
    `${contestant.name}, ${contestant.modes[mode]}: ${writes} writes of ${workload.table}, ${workload.kind}`,
  );
  await empty(place, workload.table);
  if (workload.table === 'tasks') await createParents(place);
  const redisBefore = await redisCpuMs(place.redis);
  const machineBefore = machineCpuMs();
  const carried = await contestant.carry(workload, mode, (accepted) =>
    progress.detail(accepted < workload.writes ? `${count(accepted)} accepted` : 'draining'),
  );
  const machineAfter = machineCpuMs();
  const redisAfter = await redisCpuMs(place.redis);
  progress.detail('comparing rows');
  return {
    contestant: contestant.name,
    mode: contestant.modes[mode],
    workload,
    ...carried,
    redisCpuMs: redisAfter - redisBefore,
    machineCpuMs: machineAfter - machineBefore,
    correctness: await checkRows(place.prisma, workload),
  };
}

async function createParents({ prisma }: Place): Promise<void> {
  await prisma.user.createMany({
    data: parentIds.map((id) => ({ id, name: id, email: `${id}@example.com` })),
    skipDuplicates: true,
  });
  await prisma.project.createMany({ data: parentIds.map((id) => ({ id, name: id })), skipDuplicates: true });
}

type Place = BenchContext['place'];

/** No row in the table, nor in those that refer to it, and no entry of one in the cache. */
async function empty({ prisma, removeKeys }: Place, table: Table): Promise<void> {
  await prisma.$executeRawUnsafe(`TRUNCATE ${table} CASCADE`);
  await removeKeys(`:${table}/*}:${table}:`);
}

/** All that was not idle since the machine's start, in ms. */
function machineCpuMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
