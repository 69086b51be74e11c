/**
 * `npm run services`: keeps a Postgres and a Redis running, and prints how to point a shell at them, until Ctrl-C.
 */

import { reasonOf } from '../reason.js';
import { acquireServices } from './acquire.js';
import { ServicesError } from './errors.js';

const HELP = `Usage: npm run services

Runs a Postgres and a Redis for this project, on loopback, and prints the two lines that point a shell at them.
Ends with Ctrl-C; the data stays in .data/. Other commands (demo, tests, bench) that run meanwhile share them.

Environment:
  DATABASE_URL                     use this Postgres, start none
  REDIS_URL                        use this Redis, start none
  REDIS_HOST, REDIS_PORT (6379), REDIS_PASSWORD, REDIS_DB (0)
                                   the same, in parts
  FOREBAY_DATA_FOLDER              keep data, logs and passwords there
`;

async function main(): Promise<number> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(HELP);
    return 0;
  }
  // Before the services are there, so that Ctrl-C counts from the first moment.
  const interrupted = interruption();
  const starting = acquireServices({ say: tell });
  const services = await Promise.race([starting, interrupted]);
  if (services === 'interrupted') return 130;
  process.stdout.write(
    `export DATABASE_URL=${quoted(services.databaseUrl)}\nexport REDIS_URL=${quoted(services.redisUrl)}\n`,
  );
  tell(`${services.description}. Ctrl-C ends this.`);
  process.send?.('ready'); // for pm2
  const end = await Promise.race([interrupted, services.lost]);
  await services.release();
  if (end === 'interrupted') return 0;
  tell(`Ended: ${end}.`);
  return 1;
}

function interruption(): Promise<'interrupted'> {
  // Signal handlers and held services do not keep a process running.
  const alive = setInterval(() => undefined, 60_000);
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve('interrupted');
      });
    }
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

try {
  process.exit(await main());
} catch (error) {
  if (!(error instanceof ServicesError)) throw error;
  tell(reasonOf(error));
  process.exit(1);
}
