/**
 * A command's side of the host: finds the host of a data folder or starts it, and holds services for as long as the connection lasts.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { reasonOf } from '../reason.js';
import type { Channel, Need } from './channel.js';
import { ServicesError, type ServicesErrorCode } from './errors.js';
import type { HostNews } from './host.js';
import { findHost, type Link } from './host-address.js';

const HOUR_MS = 3_600_000;
const HOST_START_MS = 60_000;
/** The host's own limits are shorter; they add up to less than this, also when it has to install Redis. */
const READY_MS = 420_000;
/** A host can end, or give way to another, between the look and the claim. */
const TRIES_MAX = 8;

export interface Held {
  readonly urls: Partial<Record<Need, string>>;
  /** Resolves with the reason when the services are lost while they are held. Never after `release`. */
  readonly lost: Promise<string>;
  release(): void;
}

/**
 * Starts what is needed and not running yet, and holds it until `release` or the end of this process.
 * @throws ServicesError as the host met it, or HOST_UNAVAILABLE
 */
export async function holdServices(
  folder: string,
  needs: readonly Need[],
  say: (line: string) => void,
): Promise<Held> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const link = await findHost(folder, needs);
    if (!link) await startHost(folder);
    else if (link.ending) await awaitEnd(link, folder);
    else {
      const held = await untilReady(link.channel, folder, say);
      if (held) return held;
    }
  }
  throw await unavailable(folder, `no host answered in ${TRIES_MAX} tries`);
}

async function awaitEnd(link: Link, folder: string): Promise<void> {
  if ((await link.channel.next(READY_MS)) === 'closed') return;
  link.channel.close();
  throw await unavailable(folder, 'a host that is about to end does not');
}

/** Undefined when the host went away meanwhile. */
async function untilReady(
  channel: Channel,
  folder: string,
  say: (line: string) => void,
): Promise<Held | undefined> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const news = await channel.next(deadline - Date.now());
    if (news === 'closed') return undefined;
    if (news !== 'late' && news.kind === 'ready') return hold(channel, news.urls, say);
    if (news !== 'late' && news.kind === 'say') {
      say(news.line);
      continue;
    }
    channel.close();
    if (news === 'late') throw await unavailable(folder, `nothing was ready within ${READY_MS / 1000} s`);
    if (news.kind === 'failed') throw new ServicesError(news.code as ServicesErrorCode, news.text);
    throw await unavailable(folder, news.kind === 'lost' ? news.text : `it sent ${news.kind}`);
  }
}

function hold(channel: Channel, urls: Partial<Record<Need, string>>, say: (line: string) => void): Held {
  channel.unref();
  let released = false;
  const lost = untilLost(channel, say);
  return {
    urls,
    lost: new Promise((resolve) => {
      void lost.then((reason) => {
        if (!released) resolve(reason);
      });
    }),
    release: () => {
      released = true;
      channel.close();
    },
  };
}

async function untilLost(channel: Channel, say: (line: string) => void): Promise<string> {
  for (;;) {
    const news = await channel.next(HOUR_MS);
    if (news === 'closed') return 'the process that keeps the services has ended';
    if (news === 'late') continue;
    if (news.kind === 'lost') return news.text;
    if (news.kind === 'say') say(news.line);
  }
}

/** Returns when a host listens: the one started here, or one that was quicker. */
async function startHost(folder: string): Promise<void> {
  const child = spawnHost(folder);
  const news = await newsOf(child);
  if (child.connected) child.disconnect();
  child.unref();
  if (news.kind === 'failed') throw new ServicesError(news.code as ServicesErrorCode, news.text);
  if (news.kind === 'late') {
    child.kill('SIGKILL');
    throw await unavailable(folder, `it did not start within ${HOST_START_MS / 1000} s`);
  }
  if (news.kind === 'ended') throw await unavailable(folder, `it ended at once (${news.how})`);
}

function spawnHost(folder: string): ChildProcess {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const file = fileURLToPath(new URL('host.ts', import.meta.url));
  const log = openSync(logFile(folder), 'a', 0o600);
  try {
    return spawn(process.execPath, ['--import', tsx, file, folder], {
      // Its own session: a Ctrl-C in the terminal is meant for the command.
      detached: true,
      cwd: folder,
      stdio: ['ignore', log, log, 'ipc'],
      env: plainEnvironment(),
    });
  } finally {
    closeSync(log);
  }
}

/** The host outlives the command, so it must not inherit what was meant for the command alone. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const names = [
    'PATH',
    'HOME',
    'TMPDIR',
    'USER',
    'LOGNAME',
    'LANG',
    'http_proxy',
    'https_proxy',
    'no_proxy',
  ];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

type StartNews = HostNews | { readonly kind: 'late' } | { readonly kind: 'ended'; readonly how: string };

function newsOf(child: ChildProcess): Promise<StartNews> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ kind: 'late' }), HOST_START_MS);
    const settle = (news: StartNews) => {
      clearTimeout(timer);
      resolve(news);
    };
    child.once('message', (news) => settle(news as HostNews));
    child.once('error', (error) => settle({ kind: 'ended', how: error.message }));
    child.once('exit', (code, signal) => settle({ kind: 'ended', how: signal ?? `exit code ${code}` }));
  });
}

async function unavailable(folder: string, what: string): Promise<ServicesError> {
  const file = logFile(folder);
  const log = await readFile(file, 'utf8').catch(reasonOf);
  const tail = log.trimEnd().split('\n').slice(-10).join('\n');
  const text = `The process that keeps the services of ${folder} can't be used: ${what}. The end of its log, ${file}:\n${tail}`;
  return new ServicesError('HOST_UNAVAILABLE', text);
}

function logFile(folder: string): string {
  return path.join(folder, 'host.log');
}
