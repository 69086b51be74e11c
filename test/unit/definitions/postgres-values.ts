/** Arbitrary values that Postgres can store. */
import fc from 'fast-check';

/** Text without what Postgres can't store: U+0000, and half surrogate pairs. */
export const text = fc.string({ unit: 'binary', maxLength: 20 }).filter((value) => !value.includes('\0'));

/** Without what jsonb can't store; `__proto__` has a test of its own, as matchers overlook it. */
export const json = fc
  .jsonValue({ stringUnit: 'binary', maxDepth: 3 })
  .map((value) => JSON.stringify(value))
  .filter((value) => !/\\u0000|__proto__/.test(value))
  .map((value) => JSON.parse(value) as unknown);
