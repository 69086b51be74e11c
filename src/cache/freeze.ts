/** Keeps a cached value from being changed behind the cache's back. */

/**
 * Freezes objects and arrays, with all that they hold. False, with nothing or a part of it frozen, when there is something that freezing does
 * not protect: Date, Map, Set, typed arrays, instances of classes.
 */
export function freezeDeep(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function';
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false;
  for (const one of Object.values(value)) if (!freezeDeep(one)) return false;
  Object.freeze(value);
  return true;
}
