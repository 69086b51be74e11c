/**
 * `forebay deploy`: replaces the processes of a pm2 ecosystem file by those of a new build, if that is any
 * good.
 */
import path from 'node:path';
import { Deployment } from './deployment.js';
import { readEcosystem } from './ecosystem.js';
import { holdLock } from './lock.js';
import { connectPm2 } from './pm2.js';

type Say = (line: string) => void;

/**
 * @param signal undoes what was done
 * @throws ForebayError DEPLOY_REFUSED, with the reason: nothing has changed
 */
export async function deploy(
  file: string,
  settleMs: number,
  { say, signal }: { say: Say; signal: AbortSignal },
): Promise<void> {
  const apps = await readEcosystem(file);
  const pm2 = await connectPm2(path.dirname(path.resolve(file)));
  try {
    const release = await holdLock(path.join(pm2.home, 'forebay-deploy.lock'));
    try {
      await new Deployment({ pm2, apps, settleMs, say, signal }).run();
    } finally {
      await release();
    }
  } finally {
    pm2.close();
  }
}
