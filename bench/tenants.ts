/** How much longer do others' writes take to the database while one tenant writes a hundred times as much, or all that it can? */
import type { Bench, BenchContext, BenchResult } from './bench.js';
import { type Child, withChild } from './child.js';
import { redisCpuMs } from './redis-cpu.js';
import { type Round, toPage } from './tenants/report.js';
import type { PaceFigures, TenantsAppHandlers, WriteFigures } from './tenants/tenants-app.js';

export const tenants: Bench = {
  summary:
    "the others' time to the database while one tenant writes a hundred times as much, or floods its lanes",
  run,
};

const others = Array.from({ length: 20 }, (_, i) => `other${i}`);
const perSecondOfEach = 10;
const timesAsMuch = 100;
const seconds = 10;
/** Before what is measured: connections, code and the sizes of batches. */
const warmSeconds = 1;
/**
 * In turns; the middle of the ratios counts. Many: a hundredth of a round's writes is 0.1 s of it, and a disk
 * that stands still so long decides its p99.
 */
const rounds = 7;

type Heavy = 'none' | 'paced' | 'flood';

const situations = [
  { name: 'the others alone', heavy: 'none', isTold: false },
  { name: `one writes ${timesAsMuch} × as much`, heavy: 'paced', isTold: false },
  { name: 'the same, with `tenant`', heavy: 'paced', isTold: true },
  { name: 'one writes all that it can', heavy: 'flood', isTold: false },
  { name: 'the same, with `tenant`', heavy: 'flood', isTold: true },
] as const satisfies readonly { name: string; heavy: Heavy; isTold: boolean }[];

type Situation = (typeof situations)[number];

type App = Child<TenantsAppHandlers>;

async function run(context: BenchContext): Promise<BenchResult> {
  const found = situations.map((situation) => ({ ...situation, rounds: [] as Round[] }));
  for (let round = 1; round <= rounds; round++) {
    for (const situation of found) {
      context.progress.step(`${describe(situation)}, ${round} of ${rounds}`);
      situation.rounds.push(await measure(context, situation));
    }
  }
  const isCorrect = found.every((one) => one.rounds.every(({ isRight }) => isRight));
  const data = { others: others.length, perSecondOfEach, timesAsMuch, seconds, situations: found };
  return { page: toPage(found), data, isCorrect };
}

function describe({ heavy, isTold }: Situation): string {
  return heavy === 'none' ? 'alone' : `${heavy}, ${isTold ? 'with' : 'without'} tenant`;
}

async function measure(context: BenchContext, { heavy, isTold }: Situation): Promise<Round> {
  const { place, signal, scale } = context;
  await place.prisma.$executeRawUnsafe('TRUNCATE clients CASCADE');
  const options = { env: { ...place.env, BENCH_TENANTS: isTold ? 'told' : 'not told' }, signal };
  return withChild('tenants/tenants-worker.ts', options, () =>
    withChild('tenants/tenants-app.ts', options, (light: App) =>
      withChild('tenants/tenants-app.ts', options, async (one: App) => {
        const warmed = await both(light, one, heavy, warmSeconds);
        const usedMs = await redisCpuMs(place.redis);
        const [ofOthers, ofHeavy] = await both(light, one, heavy, Math.max(1, seconds * scale));
        const redisMs = (await redisCpuMs(place.redis)) - usedMs;
        const accepted = ofOthers.accepted + ofHeavy.accepted;
        const warm = warmed[0].accepted + warmed[1].accepted;
        const isRight = (await place.prisma.client.count()) === accepted + warm;
        return { others: ofOthers, heavy: ofHeavy, redisMicros: (1_000 * redisMs) / accepted, isRight };
      }),
    ),
  );
}

function both(
  light: App,
  one: App,
  heavy: Heavy,
  forSeconds: number,
): Promise<[others: PaceFigures, heavy: WriteFigures]> {
  return Promise.all([
    light.ask('pace', others, perSecondOfEach, forSeconds),
    writeMuch(one, heavy, forSeconds),
  ]);
}

async function writeMuch(app: App, heavy: Heavy, forSeconds: number): Promise<WriteFigures> {
  if (heavy === 'none') return { accepted: 0, refused: 0, perSecond: 0 };
  if (heavy === 'flood') return app.ask('flood', 'heavy', forSeconds);
  return app.ask('pace', ['heavy'], perSecondOfEach * timesAsMuch, forSeconds);
}
