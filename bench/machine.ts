/** What the figures were measured on: they mean nothing without it. */
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Place } from './place.js';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly redis: string;
  readonly postgres: string;
  /** Short hash; with `+` when files differ from it; `unknown` outside a git work tree. */
  readonly commit: string;
}

export async function readMachine(place: Place): Promise<Machine> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    redis: await readRedisVersion(place),
    postgres: await readPostgresVersion(place),
    commit: await readCommit(),
  };
}

export function describeMachine(machine: Machine): string {
  const { cpu, cores, memoryGb, node, redis, postgres, commit } = machine;
  return `${cpu}, ${cores} cores, ${memoryGb} GB; Node ${node}, Redis ${redis}, Postgres ${postgres}; commit ${commit}`;
}

async function readRedisVersion({ redis }: Place): Promise<string> {
  return /^redis_version:(\S+)/m.exec(await redis.info('server'))?.[1] ?? 'unknown';
}

async function readPostgresVersion({ prisma }: Place): Promise<string> {
  const rows = await prisma.$queryRaw<{ server_version: string }[]>`SHOW server_version`;
  return rows[0]?.server_version.split(' ')[0] ?? 'unknown';
}

async function readCommit(): Promise<string> {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', args, { cwd })).stdout.trim();
  try {
    const hash = await git('rev-parse', '--short', 'HEAD');
    return (await git('status', '--porcelain', '--untracked-files=no')) === '' ? hash : `${hash}+`;
  } catch {
    return 'unknown'; // no git here, or no repository: the figures are still figures
  }
}
