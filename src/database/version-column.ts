/**
 * Rows with a version: they are replaced and deleted by newer writes only. The parts of SQL and JSON for it.
 */
import type { RecordStore } from '../definitions/stores.js';
import type { Item } from './statement.js';
import type { Table } from './table.js';

/**
 * The part of a statement that finds rows to be written: `recordset` and `match`, as `matchParts` has them.
 */
export interface FoundBy {
  readonly recordset: string;
  readonly match: string;
}

/** Adds that the row is older than the record, where rows have a version. */
export function onlyOlder({ version }: RecordStore, table: Table, parts: FoundBy): FoundBy {
  if (version === undefined) return parts;
  return {
    recordset: `${parts.recordset}, ${table.recordset([version])}`,
    match: `${parts.match} AND t.${columnOf(table, version)} < r."${version}"`,
  };
}

/** The same for an upsert's action. */
export function onlyOlderAction({ version }: RecordStore, table: Table): string {
  if (version === undefined) return '';
  const column = columnOf(table, version);
  return ` WHERE t.${column} < excluded.${column}`;
}

/** The parts that find records whose rows are newer. */
export function onlyNewer(version: string, table: Table, parts: FoundBy): FoundBy & { newer: string } {
  return {
    recordset: `${parts.recordset}, ${table.recordset([version])}`,
    match: parts.match,
    newer: `t.${columnOf(table, version)} > r."${version}"`,
  };
}

/** Items with their records' versions, put in front rather than parsed in. */
export function withVersions(
  { version }: RecordStore,
  items: readonly Item[],
  versions: ReadonlyMap<string, string>,
): readonly Item[] {
  if (version === undefined) return items;
  const name = JSON.stringify(version);
  return items.map(({ idKey, json }) => ({
    idKey,
    json: `{${name}:"${versions.get(idKey)}",${json.slice(1)}`,
  }));
}

function columnOf(table: Table, field: string): string {
  return table.columns([field])[0] as string;
}
