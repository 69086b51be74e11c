/** The log of an app's warnings where nothing else listens: JSON lines in pino's form. */
import { hostname } from 'node:os';
import { withoutFields } from './errors.js';
import type { EventLogger } from './event-log.js';

const levels = { warn: 40, error: 50 } as const;

/** Logs warnings and errors. */
export function createWarningLog(write: (line: string) => void): EventLogger {
  const always = { pid: process.pid, hostname: hostname(), name: 'forebay' };
  const logAs =
    (level: keyof typeof levels) =>
    (facts: object, msg: string): void =>
      write(
        `${JSON.stringify({ level: levels[level], time: Date.now(), ...always, ...told(facts), msg })}\n`,
      );
  return { debug: () => undefined, info: () => undefined, warn: logAs('warn'), error: logAs('error') };
}

function told(facts: object): object {
  return 'error' in facts ? { ...facts, error: withoutFields(facts.error) } : facts;
}
