#!/usr/bin/env node
/** The command `forebay`. */
import { parseArgs } from 'node:util';
import { messageOf } from '../errors.js';
import { check } from './check.js';
import { listDeadLetters, settleDeadLetters } from './dead-letters.js';
import { toDeploy } from './deploy/command.js';
import { runSchedule } from './run-schedule.js';
import { status } from './status.js';

const helpText = `Usage: forebay <command>

  check                           looks at the Redis of the environment (REDIS_URL and so on, see forebay's README) and tells what
                                  endangers accepted writes, as errors, and what could be better, as warnings
  status [--json]                 schedules with their next and last runs, what waits in the queues, what is not in the database yet
  run SCHEDULE                    runs a schedule now, besides its times
  dead-letters [WHICH] [--json]   what the database refused, and why
  replay WHICH | --all            accepts dead letters again, as if written now
  discard WHICH | --all           drops dead letters for good
  deploy [FILE] [--settle S]      replaces the processes of a pm2 ecosystem file (default ecosystem.config.js) by those of a new build, once these
                                  are ready and have stayed so for S seconds (default 5); else nothing changes
  --help                          this text

WHICH: a store's name, or a record as STORE:ID.
Exit code: 0 when there is no error, 1 when there is one, Redis can't be reached or nothing was deployed, 2 for an unknown command or schedule.
`;

type Command = () => Promise<number>;

/** A command's words, and the flags that it was given. */
interface Call {
  readonly words: readonly string[];
  readonly flags: ReadonlySet<string>;
}

const write = (text: string): void => void process.stdout.write(text);
const say = (line: string): void => write(`${line}\n`);

process.exitCode = await run(process.argv.slice(2));

async function run(args: readonly string[]): Promise<number> {
  const call = toCall(args);
  if (call?.flags.has('help')) {
    write(helpText);
    return 0;
  }
  const command = toDeploy(args, say) ?? (call && toCommand(call));
  if (command === undefined) {
    process.stderr.write(`Unknown command: ${args.join(' ') || 'none'}.\n\n${helpText}`);
    return 2;
  }
  try {
    return await command();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}

function toCall(args: readonly string[]): Call | undefined {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' }, all: { type: 'boolean' } },
    });
    return { words: positionals, flags: new Set(Object.keys(values)) };
  } catch {
    return undefined; // Told as an unknown command.
  }
}

function toCommand({ words: [name, ...more], flags }: Call): Command | undefined {
  const [argument = ''] = more;
  const which = flags.has('all') ? undefined : more[0];
  const isJson = flags.has('json');
  switch ([name, ...more.map(() => 'X'), ...flags].join(' ')) {
    case 'check':
      return () => check(say);
    case 'status':
    case 'status json':
      return () => done(status(write, { isJson }));
    case 'run X':
      return () => runSchedule(argument, say);
    case 'dead-letters':
    case 'dead-letters X':
    case 'dead-letters json':
    case 'dead-letters X json':
      return () => done(listDeadLetters(which, write, { isJson }));
    case 'replay X':
    case 'replay all':
    case 'discard X':
    case 'discard all':
      return () =>
        done(
          settleDeadLetters(name as 'replay' | 'discard', which, { say: write, progress: process.stderr }),
        );
    default:
      return undefined;
  }
}

async function done(work: Promise<void>): Promise<number> {
  await work;
  return 0;
}
