/**
 * Deploys of the project's own workers under the real pm2, with 1,000 writes a second meanwhile. `DEPLOYS=10` for the measure;
 * in the gate three.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { projectFolder } from '../../demo/arguments.js';
import { freePort } from '../../dev/services/ports.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { Pm2Home } from '../support/pm2-home.js';

const ecosystem = path.join(projectFolder, 'ecosystem.config.js');
const deploys = Number(process.env.DEPLOYS ?? 2);
/** Of a machine that is busy with something else. */
const testMaxMs = 300_000 + deploys * 100_000;
const writesPerS = 1_000;
const rows = 2_000;
const tickMs = 20;
const ageMaxMs = 2_000;
/** Where it takes longer before any deploy, the machine is busy with something else: then it is no measure. */
const idleAgeMaxMs = 300;
const busyAgeMaxMs = 30_000;

type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;
let home: Pm2Home;

beforeEach(async () => {
  environment = await createEnvironment();
  const board = { BOARD_HOST: '127.0.0.1', BOARD_PORT: String(await freePort()) };
  home = await Pm2Home.make({ ...environment.env, ...board, QUEUE_REDIS_URL: '', LOG_LEVEL: 'info' });
});

afterEach(async () => {
  await home.remove();
  await environment.close();
});

/** The workers that take the writes alone, for further deploys: their starts are what takes time. */
async function writeBehindAlone(): Promise<string> {
  const file = path.join(home.folder, 'write-behind.config.mjs');
  await writeFile(
    file,
    `import { apps as all } from ${JSON.stringify(ecosystem)};
     export const apps = all.filter(({ name }) => name === 'write-behind')
       .map((app) => ({ ...app, cwd: ${JSON.stringify(projectFolder)} }));`,
  );
  return file;
}

it(
  'deploys of all workers, one after the other, leave no write waiting for 2 s, and every row exact',
  async () => {
    const alone = await writeBehindAlone();
    expect(await home.deploy([ecosystem, '--settle', '1s'])).toMatchObject({ exitCode: 0 });
    const app = await environment.connect(stores);
    const load = startLoad(app);
    const ages = watchAge(app);
    await sleep(2_000);
    const idleAge = ages.oldestMs();
    const times: number[] = [];
    for (let nth = 0; nth < deploys; nth++) {
      const startedAt = performance.now();
      const { exitCode, text } = await home.deploy([nth === 0 ? ecosystem : alone, '--settle', '1s']);
      expect(text).toContain(nth === 0 ? 'done: 6 new, 6 old removed' : 'done: 2 new, 2 old removed');
      expect(exitCode).toBe(0);
      times.push(Math.round((performance.now() - startedAt) / 100) / 10);
    }
    const { written, expected } = await load.stop();
    const oldestMs = await ages.stop();
    await drained(app);
    process.stderr.write(
      `${deploys} deploys of ${times.join(', ')} s under ${written} writes: oldest dirty age ${oldestMs} ms (before: ${idleAge} ms)\n`,
    );
    const found = await environment.prisma.client.findMany({ select: { id: true, name: true } });
    expect(new Map(found.map(({ id, name }) => [id, name]))).toEqual(expected);
    expect(oldestMs).toBeLessThan(idleAge < idleAgeMaxMs ? ageMaxMs : busyAgeMaxMs);
  },
  testMaxMs,
);

function startLoad(app: App): { stop(): Promise<{ written: number; expected: Map<string, string> }> } {
  const expected = new Map<string, string>();
  const writing: Promise<unknown>[] = [];
  let isOver = false;
  const put = (nth: number): void => {
    const row = { id: `client-${nth % rows}`, name: `name ${nth}` };
    expected.set(row.id, row.name);
    writing.push(app.stores.clients.put(row));
  };
  const startedAt = performance.now();
  const loop = (async () => {
    let written = 0;
    while (!isOver) {
      const due = Math.min(((performance.now() - startedAt) / 1_000) * writesPerS, written + writesPerS);
      while (written < due) put(written++);
      await Promise.all(writing.splice(0));
      await sleep(tickMs);
    }
    return { written, expected };
  })();
  return {
    stop: () => {
      isOver = true;
      return loop;
    },
  };
}

function watchAge(app: App): { oldestMs(): number; stop(): Promise<number> } {
  let oldestMs = 0;
  let isOver = false;
  const loop = (async () => {
    while (!isOver) {
      oldestMs = Math.max(oldestMs, (await app.backlog()).oldestDirtyAgeMs);
      await sleep(100);
    }
    return oldestMs;
  })();
  return {
    oldestMs: () => oldestMs,
    stop: () => {
      isOver = true;
      return loop;
    },
  };
}
