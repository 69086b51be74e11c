/** What do more workers, masters, bytes, one hot counter and a long backlog do to what is carried? */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { withCluster } from './scale/cluster.js';
import { type Carried, carry, carrySizes, countHot, pileUp } from './scale/questions.js';
import { toPage } from './scale/report.js';

export const scale: Bench = {
  summary:
    'more workers and masters, larger rows, one hot counter, a backlog of a million records: what each part uses',
  run,
};

const workerCounts = [1, 2, 4] as const;

async function run(context: BenchContext): Promise<BenchResult> {
  const sites = [...(await carryBy(context)), ...(await withCluster((cluster) => carryBy(context, cluster)))];
  const sizes = await carrySizes(context);
  const hot = await countHot(context);
  const backlog = await pileUp(context);
  return {
    page: toPage({ sites, sizes, hot, backlog }),
    data: { sites, sizes, hot, backlog },
    isCorrect: [...sites, ...sizes, hot, backlog].every(({ isRight }) => isRight),
  };
}

async function carryBy(
  context: BenchContext,
  cluster?: Parameters<typeof carry>[1]['cluster'],
): Promise<Carried[]> {
  const carried: Carried[] = [];
  for (const workers of workerCounts) {
    const masters = cluster?.urls.length ?? 1;
    context.progress.step(`${workers} workers, ${masters} masters`);
    carried.push(await carry(context, { workers, cluster }));
  }
  return carried;
}
