/**
 * What Postgres can store. Whatever it could not is refused before it is accepted: it would hold up its lane.
 */

/** Text without U+0000 and without half surrogate pairs, which have no UTF-8. */
export function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}

export function isInt32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= -(2 ** 31) && (value as number) < 2 ** 31;
}

export function isInt64(value: unknown): value is number | bigint {
  return typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
}

/** A date of the years 1 to 9999: beyond them its text has a form of its own. */
export function isTimestamp(value: unknown): value is Date {
  if (!(value instanceof Date)) return false;
  const year = value.getUTCFullYear();
  return year >= 1 && year <= 9_999;
}

/**
 * Digits of a `numeric` before and after the point
 * (https://www.postgresql.org/docs/current/datatype-numeric.html).
 */
export const numericDigitsMax = { before: 131_072, after: 16_383 };
