#!/usr/bin/env node
/** The command `forebay`. */
import { messageOf } from '../errors.js';
import { check } from './check.js';
import { runSchedule } from './run-schedule.js';
import { status } from './status.js';

const helpText = `Usage: forebay <command>

  check            looks at the Redis of the environment (REDIS_URL and so on, see forebay's README) and tells what
                   endangers accepted writes, as errors, and what could be better, as warnings
  status [--json]  schedules with their next and last runs, what waits in the queues, what is not in the database yet
  run SCHEDULE     runs a schedule now, besides its times
  --help           this text

Exit code: 0 when there is no error, 1 when there is one or Redis can't be reached, 2 for an unknown command or schedule.
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await run(process.argv.slice(2));

async function run(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(helpText);
    return 0;
  }
  const command = toCommand(args);
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

function toCommand([name, argument, ...more]: readonly string[]): (() => Promise<number>) | undefined {
  if (more.length > 0) return undefined;
  if (name === 'check' && argument === undefined) return () => check(say);
  if (name === 'run' && argument !== undefined) return () => runSchedule(argument, say);
  if (name === 'status' && (argument === undefined || argument === '--json')) {
    return async () => {
      await status((text) => void process.stdout.write(text), { isJson: argument === '--json' });
      return 0;
    };
  }
  return undefined;
}
