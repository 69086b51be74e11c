/** Processor time of a Postgres on this machine, as Linux counts it; undefined where that can't be read. */
import { readdir, readFile } from 'node:fs/promises';
import type { PrismaClient } from '../../examples/platform/generated/prisma/client.js';

/** Of a process: its parent, its own time and that of its children that have ended, in ticks. */
interface Stat {
  readonly parent: number;
  readonly own: number;
  readonly ended: number;
}

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that runs Node. */
const tickMs = 10;

/** Since the server's start, in ms: of the postmaster, of all its children, and of those that have ended. */
export async function postgresCpuMs(prisma: PrismaClient): Promise<number | undefined> {
  const [row] = await prisma.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  const backend = await statOf(String(row?.pid));
  const postmaster = backend && (await statOf(String(backend.parent)));
  if (postmaster === undefined) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map(statOf));
  const children = stats.filter((stat) => stat?.parent === backend?.parent);
  const ticks = children.reduce((sum, stat) => sum + (stat?.own ?? 0), postmaster.own + postmaster.ended);
  return ticks * tickMs;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function statOf(pid: string): Promise<Stat | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [, parent = 0] = fields;
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    return { parent, own: user + system, ended: endedUser + endedSystem };
  } catch {
    return undefined; // it has ended, or there is no /proc
  }
}
