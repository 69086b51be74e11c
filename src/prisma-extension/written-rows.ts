/** A write of a covered model by Prisma: run, and which rows it touched. */
import type { CoveredModel } from './covered-model.js';
import { type Args, type Delegate, isObject, type Operation } from './prisma-client.js';
import type { Touched } from './touched-rows.js';

export interface Written {
  readonly result: unknown;
  readonly touched: Touched;
}

type Write = (operation: Operation, covered: CoveredModel, reader: Delegate | undefined) => Promise<Written>;

/** Most rows whose ids are read before a write that does not name them; of more, all entries are dropped. */
export const readIdsMax = 10_000;

/** `reader` reads what the write will see; undefined in a batch, which must not be held up. */
export const writes: Readonly<Record<string, Write>> = {
  create: writeReturning,
  createManyAndReturn: writeReturning,
  update: writeReturning,
  updateManyAndReturn: writeReturning,
  upsert: writeReturning,
  delete: writeReturning,
  createMany,
  updateMany: writeMatching,
  deleteMany: writeMatching,
};

/** The result has the rows' ids: they are asked for, and taken out again where the caller did not. */
async function writeReturning({ args, query }: Operation, covered: CoveredModel): Promise<Written> {
  const { id } = covered.model;
  const { asked, added } = withId(args, id);
  const result = await query(asked);
  const rows = (Array.isArray(result) ? result : [result]) as Record<string, unknown>[];
  const keys = rows.map((row) => covered.keyOfRow(row));
  for (const row of rows) for (const field of added) delete row[field];
  const before = keysBefore(args, covered);
  const isKnown = before !== undefined && keys.every((key) => key !== undefined);
  return { result, touched: isKnown ? new Set([...before, ...(keys as string[])]) : 'all' };
}

/** Arguments by which the result has the id, and the fields that were added for it. */
function withId(args: Args, id: readonly string[]): { asked: Args; added: readonly string[] } {
  const { select, omit } = args;
  if (isObject(select)) {
    const added = id.filter((field) => !select[field]);
    return { asked: { ...args, select: { ...select, ...every(added, true) } }, added };
  }
  const added = isObject(omit) ? id.filter((field) => omit[field]) : [];
  return added.length === 0
    ? { asked: args, added }
    : { asked: { ...args, omit: { ...(omit as Args), ...every(added, false) } }, added };
}

const every = <T>(fields: readonly string[], value: T): Record<string, T> =>
  Object.fromEntries(fields.map((field) => [field, value]));

/** Keys that the rows had before, where the write may change them; undefined when these are not known. */
function keysBefore({ where, data, update }: Args, covered: CoveredModel): readonly string[] | undefined {
  if (where === undefined) return [];
  const named = keysIn(where, covered);
  if (named !== undefined) return named;
  const changed = update ?? data;
  return covered.model.id.some((field) => isObject(changed) && changed[field] !== undefined) ? undefined : [];
}

async function createMany({ args, query }: Operation, covered: CoveredModel): Promise<Written> {
  const result = await query(args);
  const rows = Array.isArray(args.data) ? args.data : [args.data];
  const keys = rows.map((row) => keysOfNew(row, covered));
  const isKnown = keys.every((of) => of !== undefined);
  return { result, touched: isKnown ? new Set(keys.flat()) : 'all' };
}

/**
 * Of a row to be made. One without an id gets one that nobody can have asked for; undefined where the
 * database counts, or a relation has a part of the id.
 */
export function keysOfNew(row: unknown, covered: CoveredModel): readonly string[] | undefined {
  if (!isObject(row)) return undefined;
  const { id, fields } = covered.model;
  const left = id.filter((field) => row[field] === undefined);
  if (left.some((field) => fields[field]?.default.kind !== 'made')) return undefined;
  const key = left.length > 0 ? undefined : covered.keyOfRow(row);
  return key === undefined ? [] : [key];
}

/** The ids stand in the `where`, or are read before; when not as many were written, all rows are meant. */
async function writeMatching(
  { args, query }: Operation,
  covered: CoveredModel,
  reader: Delegate | undefined,
): Promise<Written> {
  const named = keysIn(args.where, covered);
  const known = named ?? (reader && (await readKeys(reader, args.where, covered)));
  const result = await query(args);
  const given = isObject(args.data) ? args.data : {};
  const isMoved = covered.model.id.some((field) => given[field] !== undefined);
  if (known === undefined || isMoved) return { result, touched: 'all' };
  const { count } = result as { count: number };
  const isSame = args.limit === undefined ? count === known.length : count <= known.length;
  return { result, touched: named !== undefined || isSame ? new Set(known) : 'all' };
}

async function readKeys(
  reader: Delegate,
  where: unknown,
  covered: CoveredModel,
): Promise<readonly string[] | undefined> {
  const select = every(covered.model.id, true);
  const rows = await reader.findMany({ where, select, take: readIdsMax + 1 });
  if (rows.length > readIdsMax) return undefined;
  return rows.map((row) => covered.keyOfRow(row) as string);
}

/** The id keys that a `where` limits the rows to; undefined when it names none. */
export function keysIn(where: unknown, covered: CoveredModel): readonly string[] | undefined {
  const ids = idsIn(where, covered);
  return ids?.map((id) => covered.keyOf(id)).filter((key) => key !== undefined);
}

function idsIn(where: unknown, covered: CoveredModel): readonly unknown[] | undefined {
  if (!isObject(where)) return undefined;
  const { id } = covered.model;
  const compound = Object.entries(where).map(([name, value]) => covered.idOf({ [name]: value }));
  const unique = compound.find((one) => one !== undefined);
  if (unique !== undefined) return [unique];
  if (id.length > 1)
    return covered.keyOfRow(where) === undefined ? undefined : [covered.store.ids.ofRow(where)];
  const filter = where[id[0] as string];
  if (!isObject(filter)) return undefined;
  if (Array.isArray(filter.in)) return filter.in as unknown[];
  return filter.equals === undefined ? undefined : [filter.equals];
}
