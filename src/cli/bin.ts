#!/usr/bin/env node
/** The command `forebay`. */
import { messageOf } from '../errors.js';
import { check } from './check.js';

const helpText = `Usage: forebay <command>

  check    looks at the Redis of the environment (REDIS_URL and so on, see forebay's README) and tells what
           endangers accepted writes, as errors, and what could be better, as warnings
  --help   this text

Exit code: 0 when there is no error, 1 when there is one or Redis can't be reached, 2 for an unknown command.
`;

process.exitCode = await run(process.argv.slice(2));

async function run(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(helpText);
    return 0;
  }
  if (args.length !== 1 || args[0] !== 'check') {
    process.stderr.write(`Unknown command: ${args.join(' ') || 'none'}.\n\n${helpText}`);
    return 2;
  }
  try {
    return await check((line) => process.stdout.write(`${line}\n`));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return 1;
  }
}
