/** What do writes that belong together cost, accepted in one call, beside the same ones in a call each? */
import { Project, TeamMember } from '../examples/platform/generated/models.js';
import type { Forebay } from '../src/app/connect.js';
import { counter } from '../src/definitions/counter.js';
import { record } from '../src/definitions/record.js';
import { defineStores } from '../src/definitions/stores.js';
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { withAppAndWorker } from './in-one-process.js';
import { middle } from './quantile.js';
import { count, textTable } from './text-table.js';
import { issue } from './write-behind/in-flight.js';

export const together: Bench = {
  summary: 'writes a second of aggregates, each in one call, beside the same writes in a call each',
  run,
};

const projects = record({ model: Project, counters: ['touches'] });
const stores = defineStores({
  projects,
  members: record({ model: TeamMember, partitionBy: { projectId: projects } }),
  touches: counter({ of: projects, field: 'touches' }),
});
type App = Forebay<(typeof stores)['definitions']>;
type Way = 'a call each' | 'together';

const aggregates = 6_000;
const membersOfEach = 3;
/** A project, its members, and a delta. */
const writesOfEach = membersOfEach + 2;
const inFlight = 64;
/** In turns; the fastest of each counts, and the middle of the ratios. */
const rounds = 3;
const users = Array.from({ length: membersOfEach }, (_, i) => `user${i}`);

async function run(context: BenchContext): Promise<BenchResult> {
  const { place } = context;
  await place.prisma.user.createMany({
    data: users.map((id) => ({ id, name: id, email: `${id}@example.com` })),
  });
  return withAppAndWorker(stores, place, (app) => carryInTurns(context, app));
}

async function carryInTurns(context: BenchContext, app: App): Promise<BenchResult> {
  const all = Math.ceil(aggregates * context.scale);
  await carry(context, app, 'together', Math.ceil(all / 10));
  const speeds: Record<Way, number[]> = { 'a call each': [], together: [] };
  let isCorrect = true;
  for (let round = 0; round < rounds; round++) {
    for (const way of ['a call each', 'together'] as const) {
      context.progress.step(`${way}, ${round + 1} of ${rounds}`);
      const { perSecond, isRight } = await carry(context, app, way, all);
      speeds[way].push(perSecond);
      isCorrect &&= isRight;
    }
  }
  const ratios = speeds.together.map((speed, i) => speed / (speeds['a call each'][i] as number));
  return { page: toPage(speeds, ratios), data: { speeds, ratios, writesOfEach }, isCorrect };
}

async function carry(
  { place: { prisma }, signal }: BenchContext,
  app: App,
  way: Way,
  calls: number,
): Promise<{ perSecond: number; isRight: boolean }> {
  signal.throwIfAborted();
  await prisma.$executeRawUnsafe('TRUNCATE projects CASCADE');
  const startedAt = performance.now();
  const call = (at: number) => (way === 'together' ? inOne(app, `p${at}`) : inMany(app, `p${at}`));
  await issue(call, { calls, inFlight, onProgress: () => undefined });
  await app.flush({ timeoutMs: 300_000 });
  const perSecond = Math.round((1_000 * calls * writesOfEach) / (performance.now() - startedAt));
  const members = await prisma.teamMember.count();
  const counted = await prisma.project.count({ where: { touches: 1 } });
  return { perSecond, isRight: members === calls * membersOfEach && counted === calls };
}

function inOne(app: App, id: string): Promise<unknown> {
  return app.writeTogether('projects', [
    { store: 'projects', put: { id, name: 'together' } },
    ...users.map((userId) => ({ store: 'members', put: { projectId: id, userId } }) as const),
    { store: 'touches', id, add: 1 },
  ]);
}

function inMany(app: App, id: string): Promise<unknown> {
  return Promise.all([
    app.stores.projects.put({ id, name: 'apart' }),
    ...users.map((userId) => app.stores.members.put({ projectId: id, userId })),
    app.stores.touches.add(id, 1),
  ]);
}

function toPage(speeds: Readonly<Record<Way, readonly number[]>>, ratios: readonly number[]): string {
  return [
    '',
    textTable(
      ['', 'writes/s persisted'],
      Object.entries(speeds).map(([way, all]) => [way, count(Math.max(...all))]),
    ),
    '',
    `Together ${middle(ratios).toFixed(2)} × (the middle of ${ratios.length} rounds in turns: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}). Aggregates of ${writesOfEach} writes, ${inFlight} under way; app and worker in one process.`,
    '',
  ].join('\n');
}
