/** How fast are many rows upserted by `upsertMany`, beside SQL by hand and a transaction of Prisma's upserts? */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, withChild } from './child.js';
import { count, textTable } from './text-table.js';
import type { UpsertAppHandlers, UpsertFigures } from './upsert-many/upsert-app.js';
import type { Table } from './write-behind/rows.js';

export const upsertMany: Bench = {
  summary: 'rows upserted per second by upsertMany, by SQL by hand, and by a transaction of upserts',
  run,
};

/** Other work on the machine only ever slows a run down, so the fastest says most. */
const rounds = 12;
const rowsOfBulk = 10_000;
/** Of the way that takes a round trip for each row: as many as end within Prisma's 5 s on a busy machine. */
const rowsOfOneByOne = 250;
const oneByOne = '$transaction of upserts';
const byHand = 'SQL by hand';

interface Run extends UpsertFigures {
  readonly table: Table;
  readonly way: string;
}

async function run({ place, signal, progress, scale }: BenchContext): Promise<BenchResult> {
  return withChild(
    'upsert-many/upsert-app.ts',
    { env: place.env, signal },
    async (child: Child<UpsertAppHandlers>) => {
      const runs: Run[] = [];
      for (const table of ['clients', 'tasks'] as const) {
        runs.push(...(await measureTable(child, table, scale, (step) => progress.step(step))));
      }
      return { page: toPage(runs), data: { rounds, runs }, isCorrect: isCorrect(runs) };
    },
  );
}

/** In turns, so that a slow time of the machine meets all. */
async function measureTable(
  child: Child<UpsertAppHandlers>,
  table: Table,
  scale: number,
  step: (text: string) => void,
): Promise<Run[]> {
  const ways = await child.ask('names');
  const best = new Map<string, UpsertFigures>();
  for (let round = 1; round <= rounds; round++) {
    for (const way of ways) {
      step(`${table}, ${way}, ${round} of ${rounds}`);
      const rows = Math.ceil((way === oneByOne ? rowsOfOneByOne : rowsOfBulk) * scale);
      best.set(way, fastest(best.get(way), await child.ask('measure', way, table, rows)));
    }
  }
  return [...best].map(([way, figures]) => ({ table, way, ...figures }));
}

function fastest(before: UpsertFigures | undefined, now: UpsertFigures): UpsertFigures {
  if (before === undefined) return now;
  return {
    insertedPerSecond: Math.max(before.insertedPerSecond, now.insertedPerSecond),
    updatedPerSecond: Math.max(before.updatedPerSecond, now.updatedPerSecond),
    digest: before.digest === now.digest ? now.digest : 'differs',
  };
}

/** The ways with as many rows leave the same ones. */
function isCorrect(runs: readonly Run[]): boolean {
  return runs.every(
    ({ table, way, digest }) =>
      way === oneByOne ||
      digest === runs.find((other) => other.table === table && other.way === byHand)?.digest,
  );
}

function toPage(runs: readonly Run[]): string {
  const hand = (table: Table): Run => runs.find((run) => run.table === table && run.way === byHand) as Run;
  const rows = runs.map((run) => [
    `${run.table}: ${run.way}`,
    ...(['insertedPerSecond', 'updatedPerSecond'] as const).map(
      (what) => `${count(run[what])} (${(run[what] / hand(run.table)[what]).toFixed(3)} ×)`,
    ),
  ]);
  return [
    '',
    textTable(['', 'new rows/s', 'rows that are there/s'], rows),
    '',
    `The fastest of ${rounds} runs each, with ${count(rowsOfBulk)} rows; ${count(rowsOfOneByOne)} of the transaction of upserts. Ratios: to SQL by hand.`,
    '',
  ].join('\n');
}
