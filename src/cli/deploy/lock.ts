/** One deploy at a time: a file with the id of the process that deploys. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { ForebayError } from '../../errors.js';

/** Resolves with what gives it back. @throws ForebayError DEPLOY_REFUSED while another process has it */
export async function holdLock(file: string): Promise<() => Promise<void>> {
  if (!(await isTaken(file))) {
    const holder = await holderOf(file);
    if (holder !== undefined) throw underWay(`in process ${holder}`);
    // Left by one that was killed.
    await rm(file, { force: true });
    if (!(await isTaken(file))) throw underWay('since this moment');
  }
  return () => rm(file, { force: true });
}

/** Whether this process has it now: the file was not there. */
async function isTaken(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(file: string): Promise<number | undefined> {
  const pid = Number(await readFile(file, 'utf8'));
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined; // It is gone.
  }
}

function underWay(where: string): ForebayError {
  return new ForebayError('DEPLOY_REFUSED', `Another deploy is under way, ${where}.`);
}
