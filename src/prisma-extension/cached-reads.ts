/** Which of Prisma's reads are of rows by id alone, and so go through the cache; others stay as they are. */
import { fieldValue } from '../definitions/field-value.js';
import { isForebayError } from '../errors.js';
import type { CoveredModel } from './covered-model.js';
import { type Args, isObject, type Operation } from './prisma-client.js';

interface CachedRead {
  readonly ids: readonly unknown[];
  readonly fields: readonly string[];
}

type Omit = Readonly<Record<string, boolean | undefined>>;

const uniqueReads = new Set(['findUnique', 'findUniqueOrThrow']);

/** @throws as the stores' reads */
export async function readThrough(
  { operation, args, query }: Operation,
  covered: CoveredModel,
  globalOmit: Omit | undefined,
): Promise<unknown> {
  const read = cachedReadOf(operation, args, covered, globalOmit);
  if (read === undefined) return query(args);
  const rows = await orNone(covered.read(read.ids, read.fields));
  if (rows === undefined) return query(args);
  if (operation === 'findMany') return rows.filter((row) => row !== null);
  const [row = null] = rows;
  // Prisma has its own error for a row that is not there.
  return row === null && operation === 'findUniqueOrThrow' ? query(args) : row;
}

/** Undefined for an id that forebay refuses, and Prisma may not. */
async function orNone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isForebayError(error, 'INVALID_ID')) return undefined;
    throw error;
  }
}

function cachedReadOf(
  operation: string,
  { where, select, omit, ...more }: Args,
  covered: CoveredModel,
  globalOmit: Omit | undefined,
): CachedRead | undefined {
  if (Object.values(more).some((value) => value !== undefined)) return undefined;
  const ids = idsOf(operation, where, covered);
  const fields = fieldsOf(select, omit, covered, globalOmit);
  return ids && fields?.every((field) => covered.holds(field)) ? { ids, fields } : undefined;
}

function idsOf(operation: string, where: unknown, covered: CoveredModel): readonly unknown[] | undefined {
  if (uniqueReads.has(operation)) {
    const id = covered.idOf(where);
    return id === undefined ? undefined : [id];
  }
  const [field, ...others] = covered.model.id as [string, ...string[]];
  if (operation !== 'findMany' || others.length > 0) return undefined;
  const filter = only(where, field);
  const ids = only(filter, 'in');
  return Array.isArray(ids) ? distinct(ids, covered) : undefined;
}

/** The value of an object's only member. */
function only(object: unknown, name: string): unknown {
  return isObject(object) && Object.keys(object).length === 1 ? object[name] : undefined;
}

function distinct(ids: readonly unknown[], covered: CoveredModel): readonly unknown[] {
  return [...new Map(ids.map((id) => [covered.keyOf(id) ?? id, id])).values()];
}

/** The fields that a read gives; undefined where it gives more than scalar fields. */
function fieldsOf(
  select: unknown,
  omit: unknown,
  { model }: CoveredModel,
  globalOmit: Omit | undefined,
): readonly string[] | undefined {
  const all = Object.keys(model.fields);
  if (select === undefined) return fieldsWithout(all, omit, globalOmit);
  if (omit !== undefined || !isObject(select)) return undefined;
  const asked = Object.keys(select).filter((field) => select[field]);
  const isPlain = asked.every((field) => select[field] === true && Object.hasOwn(model.fields, field));
  return isPlain && asked.length > 0 ? all.filter((field) => asked.includes(field)) : undefined;
}

function fieldsWithout(
  all: readonly string[],
  omit: unknown,
  globalOmit: Omit = {},
): readonly string[] | undefined {
  if (omit !== undefined && !isObject(omit)) return undefined;
  const isKnown = Object.keys(omit ?? {}).every((field) => all.includes(field));
  const given = Object.entries(omit ?? {}).filter(([, value]) => value !== undefined);
  const omitted = { ...globalOmit, ...Object.fromEntries(given) };
  return isKnown ? all.filter((field) => !fieldValue(omitted, field)) : undefined;
}
