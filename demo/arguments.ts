/** The demo's command line. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { reasonOf } from '../dev/reason.js';
import type { ActivitySource } from './activity/open.js';
import { DemoError } from './errors.js';

export interface DemoArguments {
  readonly source: ActivitySource;
  /** Where the result is written as JSON. */
  readonly json: string | undefined;
  /** Ends when the result is printed, instead of leaving the board running. */
  readonly exit: boolean;
  readonly help: boolean;
}

export const projectFolder = fileURLToPath(new URL('..', import.meta.url));

export const helpText = `Usage: npm run demo -- [options]

Replays a history of changes as write traffic through forebay, lets its workers carry it to Postgres, and compares
every row with the history's own right answer, computed apart from forebay. A file is a task, its folder a
project, its author a user. Starts a Postgres and a Redis of its own, or uses DATABASE_URL and REDIS_URL: there in the
Postgres schema forebay_demo and under the Redis prefix forebay-demo only, both emptied first.

  --repo PATH       git repository to replay: a work tree or a bare one (default: this project's own)
  --activity FILE   recorded history instead: a commit as JSON a line, gzipped or not
  --json FILE       also write the result as JSON
  --exit            end when the result is printed; else Bull Board stays up until Ctrl-C
  --help            this text

Exit code: 0 when every row is equal, 1 when one is not or something fails, 2 for a wrong option, 130 after
Ctrl-C before the result.
`;

/** @throws DemoError BAD_ARGUMENT */
export function parseDemoArguments(args: readonly string[]): DemoArguments {
  const { repo, activity, json, exit, help } = parse(args);
  for (const [flag, value] of Object.entries({ repo, activity, json })) {
    if (value === '') throw badArgument(`--${flag} needs a path`);
  }
  if (repo !== undefined && activity !== undefined)
    throw badArgument('--repo and --activity exclude each other');
  const source = activity === undefined ? { repo: repo ?? projectFolder } : { activity };
  return { source, json, exit: exit ?? false, help: help ?? false };
}

function parse(args: readonly string[]) {
  try {
    const options = {
      repo: { type: 'string' },
      activity: { type: 'string' },
      json: { type: 'string' },
      exit: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    return parseArgs({ args: [...args], options, allowPositionals: false }).values;
  } catch (error) {
    throw badArgument(reasonOf(error).replace(/\.$/, ''), error);
  }
}

function badArgument(reason: string, cause?: unknown): DemoError {
  return new DemoError('BAD_ARGUMENT', `${reason}. See npm run demo -- --help.`, cause);
}
