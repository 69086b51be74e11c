/**
 * The demo's workers: the project's pm2 apps under a pm2 daemon of their own, which lives as long as the demo.
 *
 * A guard, a shell outside the demo's process group, starts them, waits for the end of its standard input, and kills
 * the daemon. The demo holds the other end of that pipe: closing it is how the workers are stopped, and the
 * kernel closes it when the demo is killed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { reasonOf } from '../dev/reason.js';
import { freePort } from '../dev/services/ports.js';
import { DemoError } from './errors.js';

export interface WorkerOptions {
  /** Where `ecosystem.config.js` is. */
  readonly projectFolder: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly signal: AbortSignal;
}

export interface Workers {
  readonly boardUrl: string;
  /** How many processes run. */
  readonly count: number;
}

export interface WorkerProcesses {
  /** @throws DemoError WORKERS_NOT_READY with the end of their logs */
  ready(): Promise<Workers>;
  /** Of the write-behind workers that run now. */
  writeBehindPids(): Promise<number[]>;
  /** @throws DemoError WORKERS_WILL_NOT_STOP */
  stop(): Promise<void>;
}

const readyTimeoutMs = 60_000;
const pollMs = 200;
/** pm2 gives each worker 10 s. */
const stopTimeoutMs = 30_000;
/** Of each log file. */
const logLinesShown = 5;

/** Begins to start the workers; `stop` must be called, whether or not they get ready. */
export async function startWorkers(options: WorkerOptions): Promise<WorkerProcesses> {
  // Short, for it holds Unix sockets, whose paths may have about 100 characters; and closed to other users.
  const home = await mkdtemp(join(tmpdir(), 'forebay-demo-'));
  const boardPort = await freePort();
  const env = workerEnvironment(options, home, boardPort);
  const guard = startGuard(options.projectFolder, env);
  return {
    ready: () => waitUntilReady({ ...options, env, home, guard, boardUrl: `http://127.0.0.1:${boardPort}/` }),
    writeBehindPids: () => writeBehindPids(env, options.signal),
    stop: () => stopGuard(guard, home),
  };
}

function workerEnvironment(options: WorkerOptions, home: string, boardPort: number): NodeJS.ProcessEnv {
  // An empty variable counts as unset: the queues are where the cache is, and the board needs no password.
  const unset = Object.keys(process.env).filter((name) => /^(QUEUE_REDIS|BOARD)_/.test(name));
  return {
    ...process.env,
    ...Object.fromEntries(unset.map((name) => [name, ''])),
    DATABASE_URL: options.databaseUrl,
    REDIS_URL: options.redisUrl,
    FOREBAY_PREFIX: options.prefix,
    BOARD_HOST: '127.0.0.1',
    BOARD_PORT: String(boardPort),
    PM2_HOME: home,
    PM2_DISABLE_VERSION_CHECK: 'true',
  };
}

const pm2 = createRequire(import.meta.url).resolve('pm2/bin/pm2');

/** "$1" is node, "$2" pm2. A demo that is gone must not end the shell when it writes: hence the trap. */
const guardScript = `
trap '' PIPE
"$1" "$2" start ecosystem.config.js </dev/null >"$PM2_HOME/start.log" 2>&1
echo "started $?"
cat >/dev/null
"$1" "$2" kill </dev/null >"$PM2_HOME/kill.log" 2>&1 && rm -rf "$PM2_HOME"
`;

type Guard = ChildProcess & {
  stdin: NonNullable<ChildProcess['stdin']>;
  stdout: NonNullable<ChildProcess['stdout']>;
};

function startGuard(cwd: string, env: NodeJS.ProcessEnv): Guard {
  const args = ['-c', guardScript, 'forebay-demo-guard', process.execPath, pm2];
  const guard = spawn('sh', args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
  // Nothing is ever written to it; an error says that the guard has ended, as its exit does.
  guard.stdin.on('error', () => undefined);
  return guard;
}

interface Starting extends WorkerOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly guard: Guard;
  readonly boardUrl: string;
}

async function waitUntilReady(starting: Starting): Promise<Workers> {
  const signal = AbortSignal.any([starting.signal, AbortSignal.timeout(readyTimeoutMs)]);
  try {
    await untilStarted(starting.guard, signal);
    const count = await untilOnline(starting, signal);
    await untilBoardAnswers(starting.boardUrl, signal);
    return { boardUrl: starting.boardUrl, count };
  } catch (error) {
    starting.signal.throwIfAborted();
    const reason = signal.aborted ? `they took more than ${readyTimeoutMs / 1_000} s` : reasonOf(error);
    const logs = await lastLogLines(starting.home);
    throw new DemoError(
      'WORKERS_NOT_READY',
      `The workers did not get ready: ${reason}. Their last words:\n${logs}`,
      error,
    );
  }
}

async function untilStarted(guard: Guard, signal: AbortSignal): Promise<void> {
  const [said] = await once(guard.stdout, 'data', { signal });
  const exitCode = /started (\d+)/.exec(String(said))?.[1];
  if (exitCode !== '0') throw new Error(`pm2 start ended with code ${exitCode ?? '?'}`);
}

interface Pm2Process {
  readonly name: string;
  readonly pid: number;
  readonly pm2_env: { readonly status: string; readonly restart_time: number };
}

async function untilOnline({ env }: Starting, signal: AbortSignal): Promise<number> {
  for (;;) {
    const processes = await listProcesses(env, signal);
    const fallen = processes.find(({ pm2_env }) => pm2_env.restart_time > 0 || pm2_env.status === 'errored');
    if (fallen !== undefined) throw new Error(`${fallen.name} ended at its start`);
    if (processes.length > 0 && processes.every(({ pm2_env }) => pm2_env.status === 'online'))
      return processes.length;
    await sleep(pollMs, undefined, { signal });
  }
}

async function writeBehindPids(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number[]> {
  const processes = await listProcesses(env, signal);
  return processes.flatMap(({ name, pid }) => (name === 'write-behind' && pid > 0 ? [pid] : []));
}

/** Only once pm2 has been started: `pm2 jlist` starts a daemon where there is none. */
async function listProcesses(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Pm2Process[]> {
  const options = { env, signal, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, [pm2, 'jlist', '--silent'], options);
  // pm2 may say something in lines before the list.
  const list = stdout.split('\n').find((line) => line.startsWith('['));
  if (list === undefined) throw new Error(`pm2 jlist answered ${JSON.stringify(stdout.slice(0, 200))}`);
  return JSON.parse(list) as Pm2Process[];
}

async function untilBoardAnswers(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const response = await fetch(url, { signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    await response?.body?.cancel();
    if (response?.ok) return;
    await sleep(pollMs, undefined, { signal });
  }
}

/** Of the workers' own logs; of pm2's when no worker has said anything. */
async function lastLogLines(home: string): Promise<string> {
  const files = (await readdir(home, { recursive: true })).filter((file) => file.endsWith('.log'));
  const lines = await Promise.all(
    files.map(async (file) => lastLines(file, await readFile(join(home, file), 'utf8'))),
  );
  const own = lines.filter((_, at) => files[at]?.startsWith('logs')).flat();
  return (own.length > 0 ? own : lines.flat()).join('\n');
}

function lastLines(file: string, log: string): string[] {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-logLinesShown).map((line) => `  ${basename(file, '.log')}: ${line}`);
}

async function stopGuard(guard: Guard, home: string): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null) return;
  const ended = once(guard, 'exit', { signal: AbortSignal.timeout(stopTimeoutMs) });
  guard.stdin.end();
  try {
    await ended;
  } catch (error) {
    const advice = `End them by hand: PM2_HOME=${home} npx pm2 kill`;
    throw new DemoError(
      'WORKERS_WILL_NOT_STOP',
      `The workers do not end within ${stopTimeoutMs / 1_000} s. ${advice}`,
      error,
    );
  }
}
