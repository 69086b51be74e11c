/** `forebay`: finds the command that the line names, and runs it. */
import { parseArgs } from 'node:util';
import { messageOf } from '../errors.js';
import { type Call, type Command, type Flag, type Io, UsageError } from './command.js';
import { commands } from './commands.js';
import { commandHelp, helpOf, usageOf } from './help.js';
import { suggestion } from './suggestion.js';

const help: Flag = { name: 'help', about: 'this text' };

/** Returns the exit code; never throws. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    return await run(args, io);
  } catch (error) {
    io.err.write(`${messageOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run([first = '', ...rest]: readonly string[], io: Io): Promise<number> {
  const isHelp = ['--help', '-h', 'help'].includes(first);
  const name = isHelp ? rest[0] : first;
  if (isHelp && name === undefined) {
    io.out.write(helpOf(commands));
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) throw unknownCommand(name ?? '');
  if (isHelp || rest.includes('--help') || rest.includes('-h')) {
    io.out.write(commandHelp(command));
    return 0;
  }
  return command.run(toCall(command, rest), io);
}

function unknownCommand(name: string): UsageError {
  const what = name === '' ? 'No command is given.' : `Unknown command: ${name}.`;
  const known = commands.map((command) => command.name);
  return new UsageError(`${what}${suggestion(name, known)}\n\n${helpOf(commands)}`);
}

/** @throws UsageError */
function toCall(command: Command, args: readonly string[]): Call {
  const flags = [...command.flags, help];
  const { positionals, values, tokens } = parseArgs({
    args: [...args],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      flags.map(({ name, value }) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const),
    ),
  });
  for (const token of tokens) if (token.kind === 'option') checkFlag(command, flags, token);
  const call: Call = {
    words: positionals,
    has: (flag) => values[flag] !== undefined,
    valueOf: (flag) => values[flag] as string | undefined,
  };
  const problem = wordsProblem(command, positionals.length) ?? command.problem?.(call);
  if (problem !== undefined) throw misuse(command, problem);
  return call;
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
}

/** @throws UsageError */
function checkFlag(command: Command, flags: readonly Flag[], { name, rawName, value }: OptionToken): void {
  const flag = flags.find((one) => one.name === name);
  if (flag === undefined) {
    const known = flags.map((one) => `--${one.name}`);
    throw misuse(command, `Unknown flag ${rawName}.${suggestion(rawName, known)}`);
  }
  if (flag.value !== undefined && value === undefined)
    throw misuse(command, `${rawName} needs ${flag.value}.`);
  if (flag.value === undefined && value !== undefined) throw misuse(command, `${rawName} takes no value.`);
}

function wordsProblem({ words }: Command, given: number): string | undefined {
  const least = words.filter((word) => !word.startsWith('[')).length;
  if (given < least) return `${words[given]} is missing.`;
  return given > words.length ? 'There are too many words.' : undefined;
}

function misuse(command: Command, problem: string): UsageError {
  return new UsageError(`${problem}\n\nUsage: ${usageOf(command)}\nSee forebay ${command.name} --help.`);
}
