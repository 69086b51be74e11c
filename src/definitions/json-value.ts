/** JSON values checked before they are stored, so that what is read back is what was written. */
import { describe } from '../given.js';
import { isText } from './postgres-range.js';

/** What JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

const depthMax = 200;
const notText = 'U+0000 or half a surrogate pair, which Postgres does not store';

/**
 * What keeps a value from being JSON, as `path: reason`; undefined when it is JSON. Keys set to undefined are
 * left out.
 */
export function jsonProblem(value: unknown, path = '', depth = 0): string | undefined {
  switch (typeof value) {
    case 'string':
      return isText(value) ? undefined : `${at(path)}a text has ${notText}`;
    case 'boolean':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${at(path)}${value} is not a JSON number`;
    case 'object':
      if (value === null) return undefined;
      if (depth > depthMax)
        return `${at(path)}it is nested more than ${depthMax} levels deep, or refers to itself`;
      return Array.isArray(value)
        ? arrayProblem(value, path, depth)
        : objectProblem(value as Record<string, unknown>, path, depth);
    default:
      return `${at(path)}${describe(value)} is not JSON`;
  }
}

function arrayProblem(items: readonly unknown[], path: string, depth: number): string | undefined {
  for (let i = 0; i < items.length; i++) {
    const problem = jsonProblem(items[i], `${path}[${i}]`, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

function objectProblem(object: Record<string, unknown>, path: string, depth: number): string | undefined {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    return `${at(path)}${describe(object)} would not come back as one; store a string or a number instead`;
  }
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined) continue;
    if (!isText(key)) return `${at(path)}a key has ${notText}`;
    const problem = jsonProblem(value, path === '' ? key : `${path}.${key}`, depth + 1);
    if (problem) return problem;
  }
  return undefined;
}

const at = (path: string): string => (path === '' ? '' : `at ${path}, `);
