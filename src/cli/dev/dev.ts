/** `forebay dev`: Redis, Postgres if none, workers and the board in one terminal, until Ctrl-C. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { environmentWith } from '../../config.js';
import { ForebayError, messageOf } from '../../errors.js';
import type { Io } from '../command.js';
import { type DeployApp, readEcosystem } from '../deploy/ecosystem.js';
import { DevProcess, type DevProgram } from './dev-process.js';
import { Lines } from './output.js';
import { ownPostgres, ownRedis, redisAnswers } from './services.js';

const own = 'dev';

/**
 * Returns the exit code: 0 after Ctrl-C, 1 when something could not start or has ended by itself.
 * @param file pm2's ecosystem file, which names the workers
 */
export async function dev(file: string, io: Io): Promise<number> {
  const apps = await readEcosystem(file);
  const lines = new Lines(io.out, ['redis', 'postgres', 'prisma', ...apps.map(({ name }) => name), own]);
  const running: DevProcess[] = [];
  const start = (program: DevProgram): DevProcess => {
    const process = new DevProcess(program, lines);
    running.push(process);
    return process;
  };
  const interrupted = once(io.signal, 'abort').then(() => undefined);
  try {
    const ended = endOf(io, apps, { lines, running, start });
    const end = await Promise.race([ended, interrupted]);
    if (end === undefined) return 0;
    lines.say(own, `${end}. The others are ended too.`);
    return 1;
  } catch (error) {
    lines.say(own, messageOf(error));
    return 1;
  } finally {
    await endAll(running);
  }
}

interface Stage {
  readonly lines: Lines;
  readonly running: readonly DevProcess[];
  readonly start: (program: DevProgram) => DevProcess;
}

/** Starts all; returns what has ended first, in words. */
async function endOf(io: Io, apps: readonly DeployApp[], { lines, running, start }: Stage): Promise<string> {
  const env = await startServices(io, start);
  if (io.signal.aborted) return 'interrupted';
  const workers = apps.map((app) => start(programOf(app, env)));
  await Promise.all(workers.map((worker) => worker.ready()));
  lines.say(own, `All run${pageOf(io, apps)}. Ctrl-C ends them.`);
  return Promise.race(lasting(running).map(async (one) => `${one.name} ${await one.exit}`));
}

/** Returns what the workers' environment has besides this process's. */
async function startServices(
  io: Io,
  start: (program: DevProgram) => DevProcess,
): Promise<Readonly<Record<string, string>>> {
  const config = io.config();
  const redis = await ownRedis(config);
  if (redis) await redisAnswers(config, start(redis).exit);
  if (config.databaseUrl !== undefined) return {};
  const { program, url } = await ownPostgres();
  await start(program).ready();
  const env = { DATABASE_URL: url };
  await migrate(env, start);
  return env;
}

/**
 * Its tables, as the project's migrations make them; without migrations, as the schema says.
 * @throws ForebayError INVALID_CONFIG when they can't be made
 */
async function migrate(
  env: Readonly<Record<string, string>>,
  start: (program: DevProgram) => DevProcess,
): Promise<void> {
  const how = existsSync('prisma/migrations') ? ['migrate', 'deploy'] : ['db', 'push'];
  const program = { name: 'prisma', command: 'npx', args: ['prisma', ...how], env: environmentWith(env) };
  const end = await start({ ...program, saysReady: false, isService: false }).exit;
  if (end !== 'ended with code 0')
    throw new ForebayError('INVALID_CONFIG', `prisma ${end}; its lines above say why.`);
}

/** One process of each, however many pm2 would run. */
function programOf(
  { name, saysReady, settings }: DeployApp,
  env: Readonly<Record<string, string>>,
): DevProgram {
  const {
    script,
    node_args: nodeArgs = [],
    args = [],
  } = settings as {
    readonly script: string;
    readonly node_args?: string | readonly string[];
    readonly args?: string | readonly string[];
  };
  return {
    name,
    command: process.execPath,
    args: [...listed(nodeArgs), script, ...listed(args)],
    env: environmentWith(env),
    saysReady,
    isService: false,
  };
}

const listed = (args: string | readonly string[]): readonly string[] =>
  typeof args === 'string' ? args.split(' ').filter(Boolean) : args;

function pageOf(io: Io, apps: readonly DeployApp[]): string {
  const { host, port } = io.config().board;
  return apps.some(({ name }) => name.endsWith('board')) && port > 0
    ? `. The board: http://${host}:${port}/`
    : '';
}

const lasting = (running: readonly DevProcess[]): DevProcess[] =>
  running.filter(({ name }) => name !== 'prisma');

/** Those that were started last go first: workers before the services that they need. */
async function endAll(running: readonly DevProcess[]): Promise<void> {
  const services = running.filter(({ isService }) => isService);
  await Promise.all(running.filter(({ isService }) => !isService).map((one) => one.end()));
  await Promise.all(services.map((one) => one.end()));
}
