/**
 * What callers give where no compiler looks: JavaScript, `any`, parsed JSON. What is not as its type says is
 * refused by name, before anything is done with it.
 */
import { ForebayError } from './errors.js';

/** @throws ForebayError INVALID_VALUE */
export function checkList(what: string, given: unknown): void {
  if (!Array.isArray(given)) throw notGiven(what, 'an array', given);
}

/** @throws ForebayError INVALID_VALUE */
export function checkFunction(what: string, given: unknown): void {
  if (typeof given !== 'function') throw notGiven(what, 'a function', given);
}

/** Of options, or of what is given by names. @throws ForebayError INVALID_VALUE */
export function checkObject(what: string, given: unknown): void {
  if (typeof given !== 'object' || given === null) throw notGiven(what, 'an object', given);
}

/** @throws ForebayError INVALID_VALUE */
export function checkChoice(what: string, given: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(given)) throw notGiven(what, `one of ${choices.join(', ')}`, given);
}

/** @throws ForebayError INVALID_VALUE */
export function checkNumber(what: string, given: unknown, [min, max]: readonly [number, number]): void {
  if (typeof given === 'number' && given >= min && given <= max) return;
  throw notGiven(what, `a number from ${min} to ${max}`, given);
}

/** @throws ForebayError INVALID_VALUE */
export function checkWhole(what: string, given: unknown, [min, max]: readonly [number, number]): void {
  if (Number.isInteger(given) && (given as number) >= min && (given as number) <= max) return;
  throw notGiven(what, `a whole number from ${min} to ${max}`, given);
}

export function notGiven(what: string, expected: string, given: unknown): ForebayError {
  return new ForebayError('INVALID_VALUE', `${what} must be ${expected}, not ${describe(given)}.`, {
    context: { what },
  });
}

/** A value's kind and, where short, the value, for messages. */
export function describe(value: unknown): string {
  if (value === '') return 'an empty string';
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object')
    return Array.isArray(value) ? 'an array' : `a ${value.constructor?.name ?? 'null-prototype object'}`;
  const text = typeof value === 'function' ? 'function' : `${typeof value} ${String(value)}`;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** For messages: a text in quotes, a number as it is, anything else by its kind. */
export function quoted(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? `"${value.slice(0, 80).toWellFormed()}"` : describe(value);
}
