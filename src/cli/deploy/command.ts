/**
 * `forebay deploy`: replaces the processes of a pm2 ecosystem file by those of a new build, if that is any
 * good.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Deployment } from './deployment.js';
import { readEcosystem } from './ecosystem.js';
import { holdLock } from './lock.js';
import { connectPm2 } from './pm2.js';

/** Seconds. A build that fails in its first ones is none. */
const settleDefault = '5';

type Say = (line: string) => void;

/**
 * The command of these arguments, which resolves with the exit code; undefined when they are of none, or not
 * to be understood.
 */
export function toDeploy(args: readonly string[], say: Say): (() => Promise<number>) | undefined {
  const parsed = parse(args);
  if (parsed?.positionals[0] !== 'deploy' || parsed.positionals.length > 2) return undefined;
  const [, file = 'ecosystem.config.js'] = parsed.positionals;
  const { settle } = parsed.values;
  if (!/^\d+(\.\d+)?$/.test(settle)) return undefined;
  return async () => {
    await deploy(file, Number(settle) * 1_000, say);
    return 0;
  };
}

function parse(args: readonly string[]) {
  try {
    const options = { settle: { type: 'string', default: settleDefault } } as const;
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch {
    return undefined; // Of another command.
  }
}

/** @throws ForebayError DEPLOY_REFUSED, with the reason: nothing has changed */
async function deploy(file: string, settleMs: number, say: Say): Promise<void> {
  const apps = await readEcosystem(file);
  const pm2 = await connectPm2(path.dirname(path.resolve(file)));
  try {
    const release = await holdLock(path.join(pm2.home, 'forebay-deploy.lock'));
    const signal = interruption();
    try {
      await new Deployment({ pm2, apps, settleMs, say, signal }).run();
    } finally {
      await release();
    }
  } finally {
    pm2.close();
  }
}

/** Ctrl-C undoes what was done. */
function interruption(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  return stopping.signal;
}
