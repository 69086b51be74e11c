/** Runs a command with a Postgres and a Redis: `tsx dev/with-services.ts COMMAND ARGUMENT …`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { explanation } from './command.js';
import { acquireServices } from './services/acquire.js';

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${explanation(error)}\n`);
  return 1;
});

/** Returns the command's exit code. */
async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === undefined) {
    process.stderr.write('Usage: tsx dev/with-services.ts COMMAND ARGUMENT …\n');
    return 2;
  }
  const services = await acquireServices({ say: (line) => void process.stderr.write(`${line}\n`) });
  // The terminal sends its signals to the command as well; this process only has to outlive it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  const { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL } = services;
  const child = spawn(command, args, { env: { ...process.env, DATABASE_URL, REDIS_URL }, stdio: 'inherit' });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  await services.release();
  return code ?? 128 + constants.signals[signal as NodeJS.Signals];
}
