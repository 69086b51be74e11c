/**
 * Events that repeat: of each kind, and of each reason, the first is told at once, and those that follow once
 * in an interval, as the last of them and their number. So a Redis that refuses everything is a few lines,
 * and nothing is left out without being counted.
 */
import { isForebayError, messageOf } from './errors.js';
import type { Emit, ForebayEvent } from './events.js';

/** @param repeated how many of its kind there were since the last that was told, itself included */
export type Tell = (event: ForebayEvent, repeated?: number) => void;

const repeatMs = 10_000;

interface Repeats {
  count: number;
  last: ForebayEvent | undefined;
  /** Tells what has not been told yet. */
  readonly tell: () => void;
}

/** What is to be told when the process ends. */
const untold = new Set<() => void>();
let isExitHeard = false;

export function limitRepeats(tell: Tell): Emit {
  const byKind = new Map<string, Repeats>();
  const begin = (kind: string): void => {
    const repeats: Repeats = {
      count: 0,
      last: undefined,
      tell: () => {
        if (repeats.last) tell(repeats.last, repeats.count);
      },
    };
    byKind.set(kind, repeats);
    setTimeout(() => end(kind, repeats), repeatMs).unref();
  };
  const end = (kind: string, repeats: Repeats): void => {
    byKind.delete(kind);
    untold.delete(repeats.tell);
    repeats.tell();
    if (repeats.last) begin(kind);
  };
  return (event) => {
    const kind = kindOf(event);
    const repeats = byKind.get(kind);
    if (!repeats) {
      begin(kind);
      return tell(event);
    }
    repeats.count += 1;
    repeats.last = event;
    tellAtExit(repeats.tell);
  };
}

/** However many there are, they share one listener. */
function tellAtExit(tell: () => void): void {
  untold.add(tell);
  if (isExitHeard) return;
  isExitHeard = true;
  process.once('exit', () => {
    for (const one of untold) one();
  });
}

/** What is one line when it repeats. */
function kindOf(event: ForebayEvent): string {
  const reason = 'error' in event ? reasonOf(event.error) : '';
  return [event.type, subjectOf(event), reason].join(' ');
}

/** A lane's loss is told nowhere else, and an advice is each another. */
function subjectOf(event: ForebayEvent): string {
  switch (event.type) {
    case 'redis.regressed':
      return event.lane;
    case 'record.refused':
      return `${event.field.split(':', 1)[0]} ${event.state}`;
    case 'job.unknown':
      return event.reason;
    case 'batch.failed':
      return event.reason;
    default:
      return 'what' in event ? event.what : 'connection' in event ? event.connection : '';
  }
}

const causesMax = 4;

/** Codes and names, for messages differ with each row. */
function reasonOf(error: unknown): string {
  const words: string[] = [];
  let at: unknown = error;
  for (let depth = 0; at !== undefined && at !== null && depth < causesMax; depth++) {
    words.push(wordOf(at));
    at = causeOf(at);
  }
  return words.join(' < ');
}

function wordOf(error: unknown): string {
  if (isForebayError(error)) return error.code;
  const { name, code, originalCode } = error as { name?: unknown; code?: unknown; originalCode?: unknown };
  const word = originalCode ?? code;
  if (typeof word === 'string') return word;
  // Redis begins a refusal with a word; where a script passes it on, that stands further behind.
  if (name === 'ReplyError') return /\b(?!ERR\b)[A-Z]{3,}\b/.exec(messageOf(error))?.[0] ?? 'ERR';
  return typeof name === 'string' ? name : typeof error;
}

/** Of a Prisma error, what its driver adapter says. */
function causeOf(error: unknown): unknown {
  const { cause, meta } = error as {
    cause?: unknown;
    meta?: { driverAdapterError?: unknown };
  };
  return meta?.driverAdapterError ?? cause;
}
