/**
 * Three hosts on one machine, as network namespaces of Linux. Each two have a cable of their own, which can be cut without a
 * word: what is sent is lost, and neither side is told. Needs root, and the program `ip` (iproute2).
 */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { promisify } from 'node:util';
import { builtProgram, projectFolder } from './program.js';

export type HostName = 'app' | 'redis' | 'workers';

const run = promisify(execFile);
const names: readonly HostName[] = ['app', 'redis', 'workers'];
export const pairsOfHosts: readonly (readonly [HostName, HostName])[] = [
  ['app', 'redis'],
  ['app', 'workers'],
  ['redis', 'workers'],
];
/** For documentation (RFC 5737): nothing else has them. */
const network = '198.51.100';

/** Undefined where hosts can be made. */
export async function whyNoHosts(): Promise<string | undefined> {
  const name = `forebay-try-${process.pid}`;
  try {
    await run('ip', ['netns', 'add', name]);
    await run('ip', ['-n', name, 'link', 'add', 'cable', 'type', 'bridge']);
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n').slice(0, 2).join(' ');
  } finally {
    await run('ip', ['netns', 'delete', name]).catch(() => undefined); // it may not have come to be
  }
}

export class Hosts {
  readonly #prefix = `forebay-${process.pid}`;

  static async make(): Promise<Hosts> {
    const hosts = new Hosts();
    await run('ip', ['netns', 'add', hosts.#switch]);
    for (const name of names) {
      await run('ip', ['netns', 'add', hosts.#of(name)]);
      await hosts.#ip(hosts.#of(name), 'link', 'set', 'lo', 'up');
    }
    for (const [a, b] of pairsOfHosts) {
      await hosts.#ip(hosts.#switch, 'link', 'add', cableOf(a, b), 'type', 'bridge');
      await hosts.#ip(hosts.#switch, 'link', 'set', cableOf(a, b), 'up');
      await hosts.#plug(a, b);
      await hosts.#plug(b, a);
    }
    return hosts;
  }

  /** Of a host, as another one sees it. */
  address(host: HostName, seenFrom: HostName): string {
    const pair = pairsOfHosts.findIndex(([a, b]) => cableOf(a, b) === cableOf(host, seenFrom));
    return `${network}.${8 * pair + (host < seenFrom ? 1 : 2)}`;
  }

  /** What is sent between the two is lost from now on. */
  async cut(a: HostName, b: HostName): Promise<void> {
    await this.#ip(this.#switch, 'link', 'set', plugOf(a, b), 'nomaster');
  }

  async mend(a: HostName, b: HostName): Promise<void> {
    await this.#ip(this.#switch, 'link', 'set', plugOf(a, b), 'master', cableOf(a, b));
  }

  /** A program of test/processes, with a channel for messages that keeps dates and whole numbers. */
  fork(host: HostName, source: string, env: NodeJS.ProcessEnv): ChildProcess {
    return fork(builtProgram(source), [], {
      cwd: projectFolder,
      execPath: 'ip',
      execArgv: ['netns', 'exec', this.#of(host), process.execPath],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, ...env },
    });
  }

  async remove(): Promise<void> {
    for (const name of [...names.map((host) => this.#of(host)), this.#switch])
      await run('ip', ['netns', 'delete', name]);
  }

  get #switch(): string {
    return `${this.#prefix}-switch`;
  }

  #of(host: HostName): string {
    return `${this.#prefix}-${host}`;
  }

  async #plug(host: HostName, towards: HostName): Promise<void> {
    const [plug, socket] = [plugOf(host, towards), `to-${towards}`];
    const own = ['name', socket, 'netns', this.#of(host)];
    await this.#ip(this.#switch, 'link', 'add', plug, 'type', 'veth', 'peer', ...own);
    await this.#ip(this.#switch, 'link', 'set', plug, 'up', 'master', cableOf(host, towards));
    const address = `${this.address(host, towards)}/29`;
    await this.#ip(this.#of(host), 'address', 'add', address, 'dev', socket);
    await this.#ip(this.#of(host), 'link', 'set', socket, 'up');
  }

  async #ip(namespace: string, ...args: string[]): Promise<void> {
    await run('ip', ['-n', namespace, ...args]);
  }
}

function cableOf(a: HostName, b: HostName): string {
  return [a, b].sort().join('_');
}

function plugOf(host: HostName, towards: HostName): string {
  return `${host}-${towards}`;
}
