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

/** Other work on the machine only ever slows a run down, so the fastest says most; its rows must be right each time. */
const runs = 3;

export async function measureFastest(
  contestant: Contestant,
  order: { workload: Workload; mode: Mode },
  context: BenchContext,
): Promise<Measurement> {
  let fastest = await measure(contestant, order, context);
  let { correctness } = fastest;
  for (let run = 1; run < runs; run++) {
    const next = await measure(contestant, order, context);
    if (next.persistedMs < fastest.persistedMs) fastest = next;
    if (wrongRows(next.correctness) > wrongRows(correctness)) correctness = next.correctness;
  }
  return { ...fastest, correctness };
}

export async function measure(
  contestant: Contestant,
  order: { workload: Workload; mode: Mode },
  { place, progress, signal }: BenchContext,
): Promise<Measurement> {
  const { workload, mode } = order;
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
