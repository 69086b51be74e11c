/**
 * The release of a store's definition that has written a row: a mark in front of the row's JSON, made from
 * its fields. So a row that waits while a new release is deployed is known by it, and is adapted rather than
 * misread.
 */
import { createHash } from 'node:crypto';
import type { Field } from './model.js';

export interface ReleasedRow {
  /** '' for rows of a store without a model, which are plain JSON of the app's own. */
  readonly release: string;
  /** '' for a row that replaces all of the one that is there; see `markOf` and `parseMark`. */
  readonly mark: string;
  readonly json: string;
}

/** Six characters: two releases with other fields get the same mark once in 69 billion times. */
export function releaseOf(fields: readonly (readonly [string, Field])[]): string {
  const facts = fields.map(([name, { type, isList, isNullable }]) => [name, type, isList, isNullable]);
  return createHash('sha256').update(JSON.stringify(facts.sort())).digest('base64url').slice(0, 6);
}

/**
 * A row is an object, so its JSON begins with the first brace; a ^ marks one that ends with lines of its own.
 */
export function splitRelease(text: string, start = 0): ReleasedRow {
  const brace = text.indexOf('{', start);
  const head = text.slice(start, text[brace - 1] === '^' ? brace - 1 : brace);
  const semicolon = head.indexOf(';');
  if (semicolon < 0) return { release: head, mark: '', json: text.slice(brace) };
  return { release: head.slice(0, semicolon), mark: head.slice(semicolon), json: text.slice(brace) };
}

/**
 * What a put leaves: `;!createdAt` when that stays as it is where there is a row, `;!~code` when a new row
 * too gets it from the database. An update's mark is `;+name,title`: of a row that is there, only these are
 * written. The Lua of `write` joins marks.
 */
export function markOf(left: readonly string[]): string {
  return left.length === 0 ? '' : `;!${left.join(',')}`;
}

export interface Mark {
  /** Fields of a row that is there that are written. */
  readonly replaced: readonly string[];
  /** Fields that a new row gets from the database. */
  readonly left: ReadonlySet<string>;
}

/** @param fields all that a put writes */
export function parseMark(mark: string, fields: readonly string[]): Mark {
  const names = mark.slice(2).split(',');
  if (mark[1] === '+') return { replaced: fields.filter((name) => names.includes(name)), left: new Set() };
  const stay = new Set(names.map((name) => name.replace('~', '')));
  const left = names.flatMap((name) => (name.startsWith('~') ? [name.slice(1)] : []));
  return { replaced: fields.filter((name) => !stay.has(name)), left: new Set(left) };
}

/** A field of this release, as the writer of another knew it. */
export interface AdaptedField {
  readonly name: string;
  /** What the other release may call it. */
  readonly former: string;
  /** Whether its row has it. */
  readonly isKnown: boolean;
  /** Whether a new row may get it from the database. */
  readonly isOfDatabase: boolean;
}

/** Another release's mark as this one's: a put also leaves what its writer did not know of. */
export function adaptMark(mark: string, fields: readonly AdaptedField[]): string {
  const names = new Set(mark.slice(2).split(','));
  const isNamed = ({ name, former }: AdaptedField): boolean => names.has(name) || names.has(former);
  if (mark[1] === '+') {
    const written = fields.filter(isNamed).map(({ name }) => name);
    return `;+${written.join(',')}`;
  }
  const left = fields.filter((field) => isNamed(field) || !field.isKnown);
  return markOf(left.map(({ name, isOfDatabase }) => (isOfDatabase ? `~${name}` : name)));
}
