/** The help of `forebay` and of each command. */
import type { Command } from './command.js';

export function usageOf({ name, words, flags }: Command): string {
  const shown = flags.map((flag) => `[--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}]`);
  return ['forebay', name, ...words, ...shown].join(' ');
}

export function helpOf(commands: readonly Command[]): string {
  const names = commands.map(({ name, words }) => [name, ...words].join(' '));
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const lines = commands.map(({ about }, i) => `  ${(names[i] as string).padEnd(width)}${about}`);
  return `Usage: forebay <command>

${lines.join('\n')}

forebay <command> --help tells more of a command, with examples.

WHICH: a store's name, or a record as STORE:ID.
Environment: REDIS_URL, DATABASE_URL, FOREBAY_PREFIX and so on, as for workers (docs/configuration.md); a file .env is read, and what is set outside wins.
Exit code: 0 when there is no error, 1 when there is one or a server can't be reached, 2 for what is not understood.
`;
}

export function commandHelp(command: Command): string {
  const { about, details, flags, examples } = command;
  return [
    `Usage: ${usageOf(command)}\n`,
    `${sentence(about)}${details === undefined ? '' : `\n${details}`}\n`,
    section('Flags', columns([...flags.map(flagRow), ['--help', 'this text']])),
    section('Examples', columns(examples.map(({ line, about: text }) => [line, text]))),
  ].join('\n');
}

function flagRow({ name, value, about }: Command['flags'][number]): [string, string] {
  return [`--${name}${value === undefined ? '' : ` ${value}`}`, about];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function section(title: string, body: string): string {
  return `${title}:\n${body}`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([first]) => first.length)) + 2;
  return rows.map(([first, second]) => `  ${first.padEnd(width)}${second}\n`).join('');
}
