/** Models and refusals for the tests of definitions: fields of any type, without a Prisma schema. */
import { expect } from 'vitest';
import type { Field, FieldType, Model } from '../../../src/definitions/model.js';
import type { ErrorCode } from '../../../src/errors.js';

export function field(type: FieldType, facts: Partial<Field> = {}): Field {
  const required = { isList: false, isNullable: false, hasDatabaseDefault: false };
  return { column: 'column', type, default: { kind: 'none' }, ...required, ...facts };
}

export const nullable: Partial<Field> = { isNullable: true, default: { kind: 'null' } };

/** Facts of a field with a default, as `@default(value)` gives it. */
export function withDefault(value: unknown): Partial<Field> {
  return { default: { kind: 'value', value }, hasDatabaseDefault: true };
}

export function modelOf<Row, Input = Row, Id = unknown>(
  fields: Record<string, Field>,
  options: { name?: string; id?: readonly string[] } = {},
): Model<Row, Input, Id> {
  const { name = 'Thing', id = ['id'] } = options;
  return { name, delegate: name.toLowerCase(), table: name, id, fields, parents: [] };
}

/** Matches a ForebayError with this code, whose message has all of these texts. */
export function refusal(code: ErrorCode, ...texts: string[]): unknown {
  const lookaheads = texts.map((text) => `(?=[^]*${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')})`);
  const message = expect.stringMatching(new RegExp(`^${lookaheads.join('')}`));
  return expect.objectContaining({ name: 'ForebayError', code, message });
}
