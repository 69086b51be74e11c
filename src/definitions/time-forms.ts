/** Times as Postgres's types hold them, and as texts that mean the same in every session. */
import type { NativeType } from './model.js';
import { isTimestamp } from './postgres-range.js';

/** Postgres counts from here, and rounds what lies in the middle away from it. */
const epochMs = Date.UTC(2000, 0, 1);
const dayMs = 86_400_000;

/** A Date's text for its column; undefined when the column can't hold it. */
export function encodeTime(value: unknown, native: NativeType | undefined): string | undefined {
  if (!isTimestamp(value)) return undefined;
  const digits = native?.args[0] ?? 6;
  switch (native?.name) {
    case 'Date':
      return value.toISOString().slice(0, 10);
    case 'Time':
      return timeOfDay(value, digits);
    case 'Timetz':
      return `${timeOfDay(value, digits)}+00`;
    default:
      return digits >= 3 ? value.toISOString() : rounded(value, digits);
  }
}

function rounded(value: Date, digits: number): string | undefined {
  const date = new Date(epochMs + roundedMs(value.getTime() - epochMs, digits));
  return isTimestamp(date) ? date.toISOString() : undefined;
}

function timeOfDay(value: Date, digits: number): string {
  const ms = roundedMs(((value.getTime() % dayMs) + dayMs) % dayMs, digits);
  return ms === dayMs ? '24:00:00' : new Date(ms).toISOString().slice(11, -1);
}

function roundedMs(ms: number, digits: number): number {
  if (digits >= 3) return ms;
  const unit = 10 ** (3 - digits);
  return Math.sign(ms) * Math.floor((Math.abs(ms) + unit / 2) / unit) * unit;
}

/**
 * Dates, times and both, as `encodeTime` and Postgres's JSON have them. Zones are UTC, or, for times of a
 * day, none of Prisma's.
 */
const pattern =
  /^(?:(\d{4}-\d\d-\d\d))?T?(?:(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:Z|[+-]\d\d(?::\d\d){0,2})?$/;

/**
 * The Date of a column's text, as Prisma gives it: an invalid one for infinity, and for years that have no
 * four digits.
 */
export function decodeTime(text: string): Date {
  if (text.length === 24 && text.endsWith('Z')) return new Date(text);
  const found = pattern.exec(text);
  if (found === null) return new Date(Number.NaN);
  const [, day = '1970-01-01', hours = '0', minutes = '0', seconds = '0', fraction = ''] = found;
  const date = new Date(`${day}T00:00:00.000Z`);
  // Postgres has a time 24:00.
  date.setUTCHours(
    Number(hours),
    Number(minutes),
    Number(seconds),
    Number(fraction.padEnd(3, '0').slice(0, 3)),
  );
  return date;
}
