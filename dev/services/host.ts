/**
 * The process that Postgres and Redis belong to, one per data folder. Commands start it when none runs, and each holds a connection
 * to it while it uses the services. The system closes the connection of a command however it ends, so when the last one is gone
 * nobody needs the services any more: the host stops them and ends.
 *
 * Run as `node --import tsx host.ts <data folder>`; tells its parent by IPC when it can be connected to.
 */

import type { Server as Listener, Socket } from 'node:net';
import path from 'node:path';
import { reasonOf } from '../reason.js';
import { Channel, isSame, type Need, newChallenge, proofOf } from './channel.js';
import { ServicesError } from './errors.js';
import { hostSecret } from './host-address.js';
import { becomeHost, forgetHost } from './host-lock.js';
import { startPostgresServer } from './postgres-server.js';
import { startRedisServer } from './redis-server.js';
import type { Server } from './server-process.js';

/** How long the services stay for the next command of a script. */
const LINGER_MS = 1_000;
/** How long a new host waits for its first command, and a connection may take to prove itself. */
const CLAIM_MS = 10_000;

const starters = { postgres: startPostgresServer, redis: startRedisServer };

class Host {
  readonly #folder: string;
  readonly #secret: string;
  readonly #holders = new Set<Channel>();
  readonly #starting = new Map<Need, Promise<Server>>();
  #linger: NodeJS.Timeout | undefined;
  #ending = false;
  #open = false;
  #opened: () => void = () => undefined;
  readonly #isOpen: Promise<void>;

  constructor(folder: string, secret: string) {
    this.#folder = folder;
    this.#secret = secret;
    this.#isOpen = new Promise((resolve) => {
      this.#opened = resolve;
    });
  }

  /** To be called when this process is known to be the only host: nothing is started, or ended, before. */
  open(): void {
    this.#open = true;
    this.#opened();
    this.#endUnlessHeld(CLAIM_MS);
  }

  serve(listener: Listener): void {
    listener.on('connection', (socket) => void this.#attend(socket));
  }

  /** Stops the services, and with the process gives the port back: only then can another host begin. */
  async end(reason: string): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    log(`ending: ${reason}`);
    const stopped = await Promise.allSettled(
      [...this.#starting.values()].map(async (one) => (await one).stop()),
    );
    for (const one of stopped) if (one.status === 'rejected') log(reasonOf(one.reason));
    forgetHost(this.#folder);
    log('ended');
    process.exit(0);
  }

  async #attend(socket: Socket): Promise<void> {
    const channel = new Channel(socket);
    const needs = await this.#admit(channel);
    if (!needs) return channel.close();
    if (this.#ending || needs.length === 0) return;
    this.#hold(channel);
    await this.#isOpen;
    await this.#provide(channel, needs);
  }

  /** What the command needs, or undefined when it does not know the secret. */
  async #admit(channel: Channel): Promise<Need[] | undefined> {
    const challenge = newChallenge();
    channel.send({ kind: 'hello', challenge });
    const claim = await channel.next(CLAIM_MS);
    if (typeof claim === 'string' || claim.kind !== 'claim') return undefined;
    const expected = proofOf('command', this.#secret, challenge, claim.challenge);
    if (!isSame(claim.proof, expected)) return undefined;
    const proof = proofOf('host', this.#secret, challenge, claim.challenge);
    channel.send({ kind: 'welcome', proof, ending: this.#ending });
    return claim.needs;
  }

  #hold(channel: Channel): void {
    clearTimeout(this.#linger);
    this.#holders.add(channel);
    void channel.closed.then(() => {
      this.#holders.delete(channel);
      this.#endUnlessHeld(LINGER_MS);
    });
  }

  #endUnlessHeld(afterMs: number): void {
    clearTimeout(this.#linger);
    if (!this.#open || this.#holders.size > 0) return;
    this.#linger = setTimeout(() => void this.end('no command uses the services any more'), afterMs);
  }

  async #provide(channel: Channel, needs: readonly Need[]): Promise<void> {
    try {
      const servers = await Promise.all(
        needs.map(async (need) => [need, (await this.#server(need)).url] as const),
      );
      channel.send({ kind: 'ready', urls: Object.fromEntries(servers) });
    } catch (error) {
      log(reasonOf(error));
      const code = error instanceof ServicesError ? error.code : 'SERVER_START_FAILED';
      channel.send({ kind: 'failed', code, text: reasonOf(error) });
    }
  }

  /** One start for all who ask; a start that failed is tried again for the next who asks. */
  #server(need: Need): Promise<Server> {
    const known = this.#starting.get(need);
    if (known) return known;
    const starting = this.#start(need);
    this.#starting.set(need, starting);
    starting.catch(() => this.#starting.delete(need));
    return starting;
  }

  async #start(need: Need): Promise<Server> {
    const server = await starters[need]({
      folder: path.join(this.#folder, need),
      say: (line) => this.#say(line),
    });
    server.onLost((text) => {
      for (const holder of this.#holders) holder.send({ kind: 'lost', text });
      void this.end(text);
    });
    log(`${need} runs: process ${server.pid}, port ${server.port}`);
    return server;
  }

  #say(line: string): void {
    log(line);
    for (const holder of this.#holders) holder.send({ kind: 'say', line });
  }
}

/** What the host tells the command that started it. */
export type HostNews =
  | { readonly kind: 'listening' }
  | { readonly kind: 'taken' }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string };

async function main(folder: string): Promise<void> {
  process.chdir(folder);
  const host = new Host(folder, await hostSecret(folder));
  const listener = await becomeHost(folder, (server) => host.serve(server));
  if (!listener) return tell({ kind: 'taken' }, 0);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void host.end(signal));
  host.open();
  log(`process ${process.pid} is the host of ${folder}`);
  tell({ kind: 'listening' });
}

/** The parent may be gone already: the host then waits for a command as usual. */
function tell(news: HostNews, exitCode?: number): void {
  const done = () => {
    if (exitCode !== undefined) process.exit(exitCode);
    if (process.connected) process.disconnect();
  };
  if (process.connected && process.send) process.send(news, undefined, undefined, done);
  else done();
}

function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}

const folder = process.argv[2];
if (folder === undefined) throw new Error('Usage: host.ts <data folder>. Commands start it by themselves.');
main(folder).catch((error: unknown) => {
  log(reasonOf(error));
  const code = error instanceof ServicesError ? error.code : 'HOST_UNAVAILABLE';
  tell({ kind: 'failed', code, text: reasonOf(error) }, 1);
});
