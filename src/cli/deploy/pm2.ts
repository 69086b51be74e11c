/**
 * The pm2 daemon, as far as a deploy needs it. pm2's own `start` restarts what runs under the same name, and
 * tells nobody whether it got ready; so a process is started by the call that `start` itself makes of the
 * daemon, and what becomes of it is read from pm2's bus.
 */
import { realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ForebayError, messageOf } from '../../errors.js';
import { aliveTopic } from '../../services/role/alive.js';
import { type Bus, type ProcessRecords, processRecords } from './process-records.js';

/** A process of pm2's list. */
export interface Pm2Process {
  readonly id: number;
  readonly name: string;
  readonly pid: number;
  readonly status: string;
}

export interface Pm2 {
  /** Of the daemon: where it keeps its files. */
  readonly home: string;
  /** What becomes of the processes from now on. */
  readonly records: ProcessRecords;
  list(): Promise<Pm2Process[]>;
  /**
   * Starts one process, beside those of the same name; resolves when it is ready, has ended, or did neither
   * in time.
   */
  start(settings: Readonly<Record<string, unknown>>): Promise<number>;
  /** Asks a process of forebay for a sign of life. */
  ask(id: number): Promise<void>;
  stop(id: number): Promise<void>;
  /** Of one that was stopped. */
  startAgain(id: number): Promise<void>;
  remove(id: number): Promise<void>;
  close(): void;
}

type Done<T = unknown> = (error: unknown, result: T) => void;

interface ListedProcess {
  readonly pm_id: number;
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: {
    readonly status: string;
    readonly restart_delay?: number;
    readonly exp_backoff_restart_delay?: number;
    /** The last one of those that grow. */
    readonly prev_restart_delay?: number;
  };
}

/** What is used of the module `pm2`. */
interface Pm2Module {
  readonly cwd: string;
  readonly pm2_home: string;
  readonly Client: { executeRemote(method: string, argument: unknown, done: Done<never>): void };
  connect(done: (error: unknown) => void): void;
  disconnect(): void;
  launchBus(done: Done<Bus>): void;
}

/** What is used of pm2's `lib/Common.js`. */
interface Pm2Common {
  verifyConfs(apps: unknown[]): Record<string, unknown>[] | Error;
  resolveAppAttributes(place: { cwd: string; pm2_home: string }, app: unknown): { env?: object };
  mergeEnvironmentVariables(app: unknown): object;
}

/** Of pm2's restart delays, from one to the next. */
const backoffGrowth = 1.5;
const slackMs = 200;
const lookMs = 20;

/** @param folder where the project is, whose own pm2 comes first. @throws ForebayError DEPLOY_REFUSED */
export async function connectPm2(folder: string): Promise<Pm2> {
  const require = await requireOfPm2(folder);
  const module = require('pm2') as Pm2Module;
  const common = require('pm2/lib/Common.js') as Pm2Common;
  const call = <T = unknown>(method: string, argument: unknown): Promise<T> =>
    promised<T>((done) => module.Client.executeRemote(method, argument, done as Done<never>));
  const listed = (): Promise<ListedProcess[]> => call<ListedProcess[]>('getMonitorData', {});
  await promised((done) => module.connect((error) => done(error, undefined)));
  const bus = await promised<Bus>((done) => module.launchBus(done));
  return {
    home: module.pm2_home,
    records: processRecords(bus),
    list: async () =>
      (await listed()).map(({ pm_id, name, pid, pm2_env }) => ({
        id: pm_id,
        name,
        pid,
        status: pm2_env.status,
      })),
    start: async (settings) => {
      const app = resolvedApp(common, module, settings);
      const [started] = await call<{ pm2_env: { pm_id: number } }[]>('prepare', app);
      if (!started) throw new Error('pm2 started nothing');
      return started.pm2_env.pm_id;
    },
    ask: async (id) =>
      void (await call('sendDataToProcessId', { id, topic: aliveTopic, data: {}, type: 'process:msg' })),
    stop: async (id) => void (await call('stopProcessId', id)),
    startAgain: async (id) => void (await call('restartProcessId', { id, env: {} })),
    remove: (id) => remove(id, listed, () => call('deleteProcessId', id)),
    close: () => module.disconnect(),
  };
}

/**
 * pm2 starts a process again that is deleted between its start and its being ready. So that is waited for;
 * and one looks whether it is gone, once the time is over after which it would come back.
 */
async function remove(
  id: number,
  listed: () => Promise<ListedProcess[]>,
  deleteIt: () => Promise<unknown>,
): Promise<void> {
  for (;;) {
    const found = (await listed()).find(({ pm_id }) => pm_id === id);
    if (!found) return;
    const { status } = found.pm2_env;
    if (status !== 'launching') await deleteIt();
    if (status === 'stopped') return;
    await sleep(status === 'launching' ? lookMs : comebackMs(found));
  }
}

function comebackMs({ pm2_env }: ListedProcess): number {
  const { restart_delay = 0, exp_backoff_restart_delay = 0, prev_restart_delay = 0 } = pm2_env;
  const delays = [restart_delay, exp_backoff_restart_delay, prev_restart_delay * backoffGrowth];
  return Math.max(...delays.map(Number)) + slackMs;
}

/** As pm2's `start` makes of an app of the file what the daemon is given. */
function resolvedApp(
  common: Pm2Common,
  { cwd, pm2_home }: Pm2Module,
  settings: Readonly<Record<string, unknown>>,
): object {
  const verified = common.verifyConfs([{ namespace: 'default', ...settings }]);
  if (verified instanceof Error) throw verified;
  const app = common.resolveAppAttributes({ cwd, pm2_home }, verified[0]);
  app.env = { ...app.env, PM2_HOME: pm2_home };
  const { current_conf: _, ...env } = common.mergeEnvironmentVariables(app) as { current_conf?: unknown };
  return { ...app, env };
}

/** The project's own pm2, else the one beside forebay, else the one that was installed for all. */
async function requireOfPm2(folder: string): Promise<NodeJS.Require> {
  for (const place of [folder, process.cwd(), import.meta.dirname, ...(await commandFolders())]) {
    const require = createRequire(path.join(place, 'anything.js'));
    try {
      require.resolve('pm2/lib/Common.js');
      return require;
    } catch {
      // It is looked for in the next place.
    }
  }
  throw new ForebayError('DEPLOY_REFUSED', `pm2 is not installed for ${folder}. Install it: npm install pm2`);
}

async function commandFolders(): Promise<string[]> {
  const npmPrefix = path.dirname(path.dirname(process.execPath));
  try {
    return [path.dirname(await realpath(path.join(npmPrefix, 'bin/pm2')))];
  } catch {
    return []; // No pm2 beside this Node.js.
  }
}

function promised<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => {
      if (error) reject(error instanceof Error ? error : new Error(messageOf(error)));
      else resolve(result);
    });
  });
}
