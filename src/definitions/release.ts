/**
 * The release of a store's definition that has written a row: a mark in front of the row's JSON, made from its fields. So a row that
 * waits while a new release is deployed is known by it, and is adapted rather than misread.
 */
import { createHash } from 'node:crypto';
import type { Field } from './model.js';

export interface ReleasedRow {
  /** '' for rows of a store without a model, which are plain JSON of the app's own. */
  readonly release: string;
  readonly json: string;
}

/** Six characters: two releases with other fields get the same mark once in 69 billion times. */
export function releaseOf(fields: readonly (readonly [string, Field])[]): string {
  const facts = fields.map(([name, { type, isList, isNullable }]) => [name, type, isList, isNullable]);
  return createHash('sha256').update(JSON.stringify(facts.sort())).digest('base64url').slice(0, 6);
}

/** A row is an object, so its JSON begins with the first brace. */
export function splitRelease(text: string, start = 0): ReleasedRow {
  const brace = text.indexOf('{', start);
  return { release: text.slice(start, brace), json: text.slice(brace) };
}
