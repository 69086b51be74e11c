/** Values as text and back. */

import { parse as parseDevalue, stringify as stringifyDevalue } from 'devalue';
import { AnyNull, DbNull, Decimal, JsonNull } from './prisma-runtime.js';

/**
 * Values as text and back. Whole numbers from −(2^53 − 1) to 2^53 − 1 are kept as digits without it, so that
 * Redis can add to them.
 */
export interface Serializer {
  /**
   * Gives a value's text. @throws when the value has no text from which it would come back: it is not cached
   * then
   */
  stringify(value: unknown): string;
  /** Gives the value that a text was made from. @throws for any other text */
  parse(text: string): unknown;
}

/**
 * What Prisma has besides plain data, as texts: its Decimal, its names for null, and bytes, which may be a
 * part of a larger buffer.
 */
const reducers = {
  Decimal: (value: unknown) => isDecimal(value) && String(value.valueOf()),
  Bytes: (value: unknown) => value instanceof Uint8Array && `b${Buffer.from(value).toString('base64')}`,
  PrismaNull: (value: unknown) => prismaNulls.indexOf(value) + 1,
};
const revivers = {
  Decimal: (text: string) => new Decimal(text),
  Bytes: (text: string) => new Uint8Array(Buffer.from(text.slice(1), 'base64')),
  PrismaNull: (place: number) => prismaNulls[place - 1],
};
/** A place in this list stands in entries: add at its end. */
const prismaNulls: readonly unknown[] = [DbNull, JsonNull, AnyNull];

/** Of whichever copy of decimal.js. */
function isDecimal(value: unknown): value is { valueOf(): string } {
  return Object.prototype.toString.call(value) === '[object Decimal]';
}

/**
 * JSON for what JSON gives back as it was; else `d` and devalue's text, which keeps Date, BigInt, Map, Set,
 * undefined, NaN, typed arrays and repeated references (https://github.com/sveltejs/devalue), with Prisma's
 * Decimal and Bytes. No JSON text begins with a `d`.
 */
export const defaultSerializer: Serializer = {
  stringify: (value) =>
    isPlainJson(value, 0) ? JSON.stringify(value) : `d${stringifyDevalue(value, reducers)}`,
  parse: (text) => (text[0] === 'd' ? parseDevalue(text.slice(1), revivers) : JSON.parse(text)),
};

const depthMax = 200;

function isPlainJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      if (value === null) return true;
      if (depth > depthMax) return false;
      return Array.isArray(value) ? isPlainArray(value, depth) : isPlainObject(value, depth);
    default:
      return false;
  }
}

function isPlainArray(items: readonly unknown[], depth: number): boolean {
  for (let i = 0; i < items.length; i++) if (!isPlainJson(items[i], depth + 1)) return false;
  return true;
}

function isPlainObject(object: object, depth: number): boolean {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const value of Object.values(object)) if (!isPlainJson(value, depth + 1)) return false;
  return true;
}
