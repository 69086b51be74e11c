/**
 * An app in a project without the packages that only workers, the board and metrics need: it writes, and the
 * workers hear of it; what it does use of those is told with the line that installs them.
 */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { User } from '../../examples/platform/generated/models.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { clientOnlyProject, manifest } from '../support/client-only.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { builtProgram } from '../support/program.js';

let folder: string;
beforeAll(async () => {
  folder = await clientOnlyProject();
});
afterAll(() => rm(folder, { recursive: true }));

async function run(program: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = path.join(folder, 'app.mjs');
  await writeFile(file, program);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env: { ...process.env, ...env } });
  return stdout;
}

describe('what is not installed', () => {
  it.each([
    { entry: 'forebay/worker', lacks: ['bullmq', 'node-cron', 'pino', 'zod'] },
    { entry: 'forebay/metrics', lacks: ['prom-client'] },
  ])('is told by $entry, with the line that installs it', async ({ entry, lacks }) => {
    const { peerDependencies } = await manifest();
    const said = JSON.parse(
      await run(`await import('${entry}').catch(({ name, code, message, context }) =>
        console.log(JSON.stringify({ name, code, message, ...context })));`),
    );
    const install = `npm install ${lacks.map((name) => `${name}@${peerDependencies[name]}`).join(' ')}`;
    expect(said).toMatchObject({ name: 'ForebayError', code: 'PEER_MISSING', packages: lacks, install });
    expect(said.message).toContain(`Run: ${install}`);
  });

  it.each([
    ['init', '--help'],
    ['check', '--help'],
  ])('is not needed for forebay %s', async (...args) => {
    const cli = path.join(folder, 'node_modules/forebay/dist/package/cli.js');
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args]);
    expect(stdout).toContain(`forebay ${args[0]}`);
  });
});

describe('an app without BullMQ', () => {
  let environment: Environment;
  beforeEach(async () => {
    environment = await createEnvironment();
  });
  afterEach(() => environment.close());

  // A delay that no sweep would see the end of within the test: only the app's word has the rows written.
  const delayMs = 60_000;
  const program = (body: string): string => `
    import { computed, cacheKeys, cacheKey, connect, defineStores, record } from 'forebay';
    import { PrismaClient } from '${builtProgram('examples/platform/generated/prisma/client.ts')}';
    import { createPrismaAdapter } from 'forebay/prisma';
    import { User } from '${builtProgram('examples/platform/generated/models.ts')}';
    const adapter = createPrismaAdapter(process.env.DATABASE_URL, { connections: 2, name: 'client-only' });
    const prisma = new PrismaClient({ adapter });
    const users = record({ model: User, delayMs: ${delayMs} });
    ${body}
    await app.close();
    await prisma.$disconnect();`;

  it('writes, and has its writes flushed at once by workers that hear of them from Redis', async () => {
    await environment.startWorker(defineStores({ users: record({ model: User, delayMs }) }));
    await environment.startWorker(defineStores({ users: record({ model: User, delayMs }) }));
    await run(
      program(`
        const app = await connect(defineStores({ users }), { prisma });
        await app.stores.users.put({ id: '11111111-1111-4111-8111-111111111111', email: 'a@b.c', name: 'Ada' });
        await app.flush();`),
      environment.env,
    );
    expect(await environment.prisma.user.findMany({ select: { name: true } })).toEqual([{ name: 'Ada' }]);
    expect(environment.events.filter(({ type }) => type === 'lane.woken')).toEqual([]);
  });

  it('says once that it asks for no refreshes, with the line that mends it', async () => {
    const said = await run(
      program(`
        const keys = cacheKeys('greeting', { name: cacheKey(60) });
        const greetings = computed({ key: keys.name, load: async (ids) => new Map(ids.map((id) => [id, id])) });
        const app = await connect(defineStores({ greetings }), { prisma });
        await app.stores.greetings.get('1');`),
      environment.env,
    );
    expect(
      said
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({
        level: 40,
        name: 'forebay',
        msg: 'queue.missing',
        install: expect.stringContaining('bullmq@'),
      }),
    ]);
  });
});
