/** The Redis of the verification: a server, the replica that takes over now and then, and what can happen to them. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisServer, startRedisServer } from '../../dev/services/redis-server.js';
import { VerifyError } from '../errors.js';
import { type Loss, nowUs } from '../history.js';
import type { Random } from '../random.js';
import { cutBehindFsync } from './fsync-mark.js';
import { TcpProxy } from './tcp-proxy.js';

export type Fsync = 'always' | 'everysec';

interface Seat {
  readonly folder: string;
  readonly server: RedisServer;
}

const settings = ['--auto-aof-rewrite-percentage', '0', '--repl-diskless-sync-delay', '0', '--save', ''];
const followMaxMs = 30_000;
const fsyncSlackUs = 100_000;
/** Before it grows slow to load. */
const fileMaxBytes = 48 * 1_024 * 1_024;

export class RedisSite {
  readonly #link: TcpProxy;
  #now: Seat;
  #other: Seat;
  #fsync: Fsync = 'everysec';
  #isUp = true;

  private constructor(now: Seat, other: Seat, link: TcpProxy) {
    this.#now = now;
    this.#other = other;
    this.#link = link;
  }

  static async start(folder: string): Promise<RedisSite> {
    const [now, other] = [await startSeat(folder, 'redis-a'), await startSeat(folder, 'redis-b')];
    const box: { site?: RedisSite } = {};
    const link = await TcpProxy.start(() => box.site?.port);
    box.site = new RedisSite(now, other, link);
    await other.server.stop();
    return box.site;
  }

  /** Undefined while it is away. */
  get port(): number | undefined {
    return this.#isUp ? this.#now.server.port : undefined;
  }

  get fsync(): Fsync {
    return this.#fsync;
  }

  async version(): Promise<string> {
    const info = String(await call(this.#now.server, 'INFO', 'server'));
    return /^redis_version:(\S+)/m.exec(info)?.[1] ?? '';
  }

  async setFsync(fsync: Fsync): Promise<void> {
    this.#fsync = fsync;
    await call(this.#now.server, 'CONFIG', 'SET', 'appendfsync', fsync);
  }

  /** Loses nothing: what Redis has accepted is in its file. */
  async restart(): Promise<void> {
    await this.#whileDown(() => this.#now.server.restart());
  }

  /** With `always`, loses nothing either: what it has answered is in its file. */
  async kill(): Promise<void> {
    await this.#whileDown(async () => {
      await this.#now.server.kill();
      await this.#now.server.restart();
    });
  }

  async losePower(random: Random): Promise<Omit<Loss, 'until'> & { bytes: number }> {
    let cut = { fromUs: 0, bytes: 0 };
    let at = 0;
    await this.#whileDown(async () => {
      await this.#now.server.kill();
      at = nowUs();
      cut = await cutBehindFsync(this.#now.folder, random);
      await this.#now.server.restart();
    });
    return { what: 'power loss', from: cut.fromUs - fsyncSlackUs, at, keeps: ['fsynced'], bytes: cut.bytes };
  }

  /** A replica that follows from now on, over a link that can fail. */
  async startReplica(): Promise<void> {
    await rm(path.join(this.#other.folder, 'appendonlydir'), { recursive: true, force: true });
    await this.#other.server.restart();
    await call(this.#other.server, 'REPLICAOF', '127.0.0.1', String(this.#link.port));
    const deadline = Date.now() + followMaxMs;
    while (!String(await call(this.#other.server, 'INFO', 'replication')).includes('master_link_status:up')) {
      if (Date.now() > deadline) throw new VerifyError('SERVER_STUCK', 'The replica does not follow.');
      await sleep(50);
    }
  }

  /** The link falls silent, the server dies some time later, and the replica takes its place as it is. */
  async takeOver(lagMs: number): Promise<Omit<Loss, 'until'>> {
    const from = await this.#followedAt();
    const silence = this.#link.silence(lagMs, { isTotal: true, isCut: true });
    await sleep(lagMs - 20);
    let at = 0;
    await this.#whileDown(async () => {
      await this.#now.server.kill();
      at = nowUs();
      await silence;
      await call(this.#other.server, 'REPLICAOF', 'NO', 'ONE');
      [this.#now, this.#other] = [this.#other, this.#now];
    });
    return { what: 'takeover', from, at, keeps: ['replicated'] };
  }

  /** A time by which all that the server had accepted has come to the replica, however busy the machine is. */
  async #followedAt(): Promise<number> {
    const at = nowUs();
    const sent = await offsetOf(this.#now.server, 'master_repl_offset');
    const deadline = Date.now() + followMaxMs;
    while ((await offsetOf(this.#other.server, 'slave_repl_offset')) < sent) {
      if (Date.now() > deadline) throw new VerifyError('SERVER_STUCK', 'The replica does not keep up.');
      await sleep(10);
    }
    return at;
  }

  async slowLink(delayMs: number, forMs: number): Promise<void> {
    await this.#link.slow(delayMs, forMs);
  }

  /** Nobody follows any more: a write that asks for a replica is told so. */
  async stopReplica(): Promise<void> {
    await this.#other.server.stop();
  }

  /** Between rounds: a file that grows for ever would take long to load. */
  async shrinkFile(): Promise<void> {
    const info = String(await call(this.#now.server, 'INFO', 'persistence'));
    if (Number(/^aof_current_size:(\d+)/m.exec(info)?.[1] ?? 0) < fileMaxBytes) return;
    await call(this.#now.server, 'BGREWRITEAOF');
    while (
      /aof_rewrite_(in_progress|scheduled):1/.test(
        String(await call(this.#now.server, 'INFO', 'persistence')),
      )
    )
      await sleep(100);
  }

  async stop(): Promise<void> {
    await this.#link.close();
    await this.#now.server.stop();
    await this.#other.server.stop();
  }

  async #whileDown(work: () => Promise<void>): Promise<void> {
    this.#isUp = false;
    await work();
    await call(this.#now.server, 'CONFIG', 'SET', 'appendfsync', this.#fsync);
    this.#isUp = true;
  }
}

async function startSeat(folder: string, name: string): Promise<Seat> {
  const own = path.join(folder, name);
  return { folder: own, server: await startRedisServer({ folder: own, password: '', extraArgs: settings }) };
}

async function offsetOf(server: RedisServer, field: string): Promise<number> {
  const info = String(await call(server, 'INFO', 'replication'));
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

async function call(server: RedisServer, command: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis(server.url, { maxRetriesPerRequest: 20 });
  redis.on('error', () => undefined); // The call's own error is told.
  try {
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}
