/** Keeps a cached value from being changed behind the cache's back. */

/**
 * Freezes objects and arrays, with all that they hold. False, with nothing frozen, when there is something
 * that freezing does not protect: Date, Map, Set, typed arrays, instances of classes, functions. A value may
 * hold itself, or one thing many times.
 */
export function freezeDeep(value: unknown): boolean {
  const found = new Set<object>();
  if (!collect(value, found)) return false;
  // A set also goes over what is added meanwhile.
  for (const one of found) for (const part of Object.values(one)) if (!collect(part, found)) return false;
  for (const one of found) Object.freeze(one);
  return true;
}

/** False for what freezing does not protect. */
function collect(value: unknown, found: Set<object>): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function';
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false;
  found.add(value);
  return true;
}
