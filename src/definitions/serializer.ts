/** Values as text and back. */
import { parse as parseDevalue, stringify as stringifyDevalue } from 'devalue';

export interface Serializer {
  /** @throws when the value has no text from which it would come back */
  stringify(value: unknown): string;
  parse(text: string): unknown;
}

/**
 * JSON for what JSON gives back as it was; else `d` and devalue's text, which keeps Date, BigInt, Map, Set, undefined, NaN, typed
 * arrays and repeated references (https://github.com/sveltejs/devalue). No JSON text begins with a `d`.
 */
export const defaultSerializer: Serializer = {
  stringify: (value) => (isPlainJson(value, 0) ? JSON.stringify(value) : `d${stringifyDevalue(value)}`),
  parse: (text) => (text[0] === 'd' ? parseDevalue(text.slice(1)) : JSON.parse(text)),
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
