/** Numbers as Postgres's types hold them. Those that JSON has no number for are texts. */

import type { NativeType } from './model.js';
import { isInt32, numericDigitsMax } from './postgres-range.js';
import { Decimal } from './prisma-runtime.js';

const smallMax = 2 ** 15;

export function encodeInt(value: unknown, native: NativeType | undefined): number | undefined {
  if (native?.name === 'Oid')
    return Number.isInteger(value) && isOid(value as number) ? (value as number) : undefined;
  if (!isInt32(value)) return undefined;
  return native?.name === 'SmallInt' && (value < -smallMax || value >= smallMax) ? undefined : value;
}

function isOid(value: number): boolean {
  return value >= 0 && value < 2 ** 31;
}

export function encodeFloat(value: unknown, native: NativeType | undefined): number | string | undefined {
  if (typeof value !== 'number') return undefined;
  const held = native?.name === 'Real' ? realForm(value) : value;
  return Number.isFinite(held) ? held : held?.toString();
}

/**
 * Of the numbers that 32 bits hold, the nearest, written as short as they allow, as Postgres writes it;
 * undefined when it is too large or too small for them.
 */
function realForm(value: number): number | undefined {
  const held = Math.fround(value);
  if (!Number.isFinite(held)) return Number.isFinite(value) ? undefined : held;
  if (held === 0) return value === 0 ? value : undefined;
  let digits = 1;
  while (digits < realDigitsMax && !isRead(Number(held.toPrecision(digits)), held)) digits += 1;
  // `toPrecision` rounds halves up, Postgres to even.
  const exact = new Decimal(held.toPrecision(100));
  return exact.toSignificantDigits(digits, Decimal.ROUND_HALF_EVEN).toNumber();
}

/** Any number of 32 bits is known by so many. */
const realDigitsMax = 9;

/** Whether `short` is read as `held`: what is half-way to the next one is not, for Postgres. */
function isRead(short: number, held: number): boolean {
  const mirrored = 2 * short - held;
  return Math.fround(short) === held && (mirrored === held || Math.fround(mirrored) !== mirrored);
}

const moneyMax = new Decimal('92233720368547758.07');

export function encodeDecimal(value: unknown, native: NativeType | undefined): string | undefined {
  const decimal = toDecimal(value);
  const held = decimal && numberForm(decimal, native);
  // A numeric has no negative zero.
  return held?.replace(/^-(?=[0.]+$)/, '');
}

function numberForm(decimal: Decimal, native: NativeType | undefined): string | undefined {
  if (native?.name === 'Money') return moneyForm(decimal);
  if (decimal.isNaN()) return 'NaN';
  const [precision, scale = 0] = native?.args ?? [];
  if (!decimal.isFinite()) return native && precision === undefined ? decimal.toString() : undefined;
  const { before, after } = numericDigitsMax;
  // Looked at before it is written out: 1e100000000 has as many digits.
  if (decimal.e >= before || decimal.e < -2 * after) return undefined;
  if (precision !== undefined) return numericForm(decimal, precision, scale);
  return decimal.decimalPlaces() <= after ? decimal.toFixed() : undefined;
}

function numericForm(decimal: Decimal, precision: number, scale: number): string | undefined {
  const held = decimal.toFixed(scale, Decimal.ROUND_HALF_UP);
  const [whole = ''] = held.replace('-', '').split('.');
  return whole.replace(/^0+/, '').length <= precision - scale ? held : undefined;
}

function moneyForm(decimal: Decimal): string | undefined {
  if (!decimal.isFinite() || decimal.e > 20) return undefined;
  const held = decimal.toFixed(2, Decimal.ROUND_HALF_UP);
  return new Decimal(held).abs().lte(moneyMax) ? held : undefined;
}

function toDecimal(value: unknown): Decimal | undefined {
  if (!Decimal.isDecimal(value) && typeof value !== 'string' && typeof value !== 'number') return undefined;
  try {
    return new Decimal(value as string);
  } catch {
    return undefined; // decimal.js throws on a text that is no number; the caller reports the field
  }
}

const expectedNumbers: Readonly<Record<string, string>> = {
  SmallInt: 'an integer of 16 bits',
  Oid: 'an integer from 0 to 2,147,483,647',
  Real: 'a number that 32 bits can hold',
  Money: 'a finite Decimal, number or numeric string of an amount that money can hold',
};

/** In words; undefined where the column's type adds nothing to what the field's says. */
export function expectedNumber(native: NativeType | undefined): string | undefined {
  if (native?.name === 'Decimal' && native.args[0] !== undefined) {
    const [precision, scale = 0] = native.args;
    return `a Decimal, number or numeric string of at most ${precision - scale} digits before the point`;
  }
  return native && expectedNumbers[native.name];
}
