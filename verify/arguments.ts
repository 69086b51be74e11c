/** The command line of the verification. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { reasonOf } from '../dev/reason.js';
import { VerifyError } from './errors.js';

export interface VerifyArguments {
  readonly minutes: number;
  readonly seed: number;
  /** Where servers and histories are kept; removed at the end unless something was found. */
  readonly folder: string | undefined;
}

export const helpText = `Usage: npm run verify -- [--minutes N] [--seed S] [--folder DIR]

Apps and workers, each a process of its own, write and read under faults: workers killed and paused, apps killed,
connections to Redis and Postgres cut, slow, half-open or without answers, both servers restarted and killed, power
losses of Redis (its append-only file is cut at a byte behind its last fsync), and replicas that lag and take over.
Every call is recorded and checked: see docs/verification.md.

  --minutes N    how long (default: 5); a round under way is ended
  --seed S       of the faults and the calls (default: by chance; it is printed)
  --folder DIR   where the servers and histories are kept; it must be reachable for other users (default: a new one)
  --help         this text

Needs gcc, and redis-server on the PATH. Uses no running server: it starts its own, on free ports.
Exit code: 0 when nothing was violated, 1 when something was or fails, 2 for a wrong option, 130 after Ctrl-C.
`;

/** @throws VerifyError BAD_ARGUMENT */
export function parseVerifyArguments(args: readonly string[]): VerifyArguments | { readonly help: true } {
  const { values } = parse(args);
  if (values.help) return { help: true };
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 10_000))
    throw badArgument(`--minutes must be above 0, not "${values.minutes}"`);
  const seed = values.seed === undefined ? randomInt(1, 1_000_000) : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw badArgument(`--seed must be a whole number, not "${values.seed}"`);
  return { minutes, seed, folder: values.folder };
}

function parse(args: readonly string[]) {
  try {
    const options = {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string' },
      folder: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: false });
  } catch (error) {
    throw badArgument(reasonOf(error).replace(/\.$/, ''), error);
  }
}

function badArgument(reason: string, cause?: unknown): VerifyError {
  return new VerifyError('BAD_ARGUMENT', `${reason}. See npm run verify -- --help.`, cause);
}
