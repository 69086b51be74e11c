/** Lines of several processes on one terminal: each behind its process's name, in a colour of its own. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { styleText } from 'node:util';
import type { LineOutput } from '../progress-bar.js';

const colours = ['cyan', 'magenta', 'yellow', 'green', 'blue', 'red'] as const;
/** What pino adds to every line, and a terminal shows already. */
const known = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg']);
const warning = 40;

export class Lines {
  readonly #out: LineOutput;
  readonly #names: readonly string[];

  constructor(out: LineOutput, names: readonly string[]) {
    this.#out = out;
    this.#names = names;
  }

  say(name: string, line: string): void {
    const place = this.#names.indexOf(name);
    const colour = colours[Math.max(0, place) % colours.length] as (typeof colours)[number];
    const width = Math.max(...this.#names.map((one) => one.length));
    this.#out.write(`${this.#styled(colour, `${name.padEnd(width)} │`)} ${line}\n`);
  }

  /** Until the stream ends. */
  follow(name: string, stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => this.say(name, this.#readable(line)));
  }

  /** A line of pino's as people read it; any other as it is. */
  #readable(line: string): string {
    const log = parsed(line);
    if (log === undefined) return line;
    const facts = Object.entries(log).filter(([name]) => !known.has(name));
    const said = [log.msg, ...facts.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(' ');
    return Number(log.level) >= warning ? this.#styled('red', said) : said;
  }

  #styled(style: (typeof colours)[number], text: string): string {
    return this.#out.isTTY ? styleText(style, text) : text;
  }
}

function parsed(line: string): { readonly msg: string; readonly level?: unknown } | undefined {
  try {
    const value = JSON.parse(line) as { msg?: unknown } | null;
    return typeof value?.msg === 'string' ? { ...value, msg: value.msg } : undefined;
  } catch {
    return undefined; // No JSON: a program's own words.
  }
}
