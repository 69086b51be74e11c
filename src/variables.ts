/** Variables of the environment: how each is read, and all that is wrong with them together. */
import { ForebayError } from './errors.js';

/** What is wrong with a variable's text; it never quotes that, which may be a secret. */
export class Wrong extends Error {}

/** A variable's value from its text. @throws Wrong */
export type Parse<Value> = (text: string) => Value;

/** Reads variables by name, and keeps what is wrong until all are read. Empty ones count as unset. */
export class Variables {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #problems: { readonly variable: string; readonly message: string }[] = [];

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** Undefined: it is not set, or wrong. */
  read<Value>(variable: string, parse: Parse<Value>): Value | undefined {
    const text = this.#env[variable];
    if (text === undefined || text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.refuse(variable, error.message);
      return undefined;
    }
  }

  /** Whether one that begins so is set. */
  has(prefix: string): boolean {
    return Object.entries(this.#env).some(([name, value]) => name.startsWith(prefix) && Boolean(value));
  }

  refuse(variable: string, message: string): void {
    this.#problems.push({ variable, message });
  }

  /** Whether one that begins so is wrong. */
  hasWrong(prefix: string): boolean {
    return this.#problems.some(({ variable }) => variable.startsWith(prefix));
  }

  /** @throws ForebayError INVALID_CONFIG, which names each wrong variable, and never its value */
  check(): void {
    if (this.#problems.length === 0) return;
    const lines = this.#problems.map(({ variable, message }) => `- ${variable}: ${message}`);
    throw new ForebayError('INVALID_CONFIG', `The environment can't be used:\n${lines.join('\n')}`, {
      context: { variables: this.#problems.map(({ variable }) => variable) },
    });
  }
}

export const asText: Parse<string> = (text) => text;

export function matching(pattern: RegExp, what: string): Parse<string> {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new Wrong(what);
  };
}

export function whole(min: number, max: number): Parse<number> {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    throw new Wrong(`must be a whole number from ${min} to ${max}`);
  };
}

export function oneOf<const Value extends string>(...values: readonly Value[]): Parse<Value> {
  return (text) => {
    const value = values.find((one) => one === text);
    if (value !== undefined) return value;
    throw new Wrong(`must be one of ${values.join(', ')}`);
  };
}
