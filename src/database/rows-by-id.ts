/** Rows and counters by their id: what persisting and loading share. */
import type { Field, Model } from '../definitions/model.js';
import type { CounterStore, RecordStore } from '../definitions/stores.js';
import type { Table } from './table.js';

/** The model whose column a counter is. */
export function counterModel(store: CounterStore): Model {
  const { source } = store;
  if (source.kind === 'model') return source.model;
  if (source.kind === 'record' && source.of.source.kind === 'model') return source.of.source.model;
  throw new Error(`Store ${store.name} has no model.`);
}

/** The parts of a statement that finds rows by id. */
export function matchParts(model: Model, table: Table): { recordset: string; match: string } {
  const columns = table.columns(model.id);
  return {
    recordset: table.recordset(model.id),
    match: model.id.map((field, i) => `t.${columns[i]} = ${ofRecordset(field)}`).join(' AND '),
  };
}

/** A field of what was given, as a statement names it. */
export const ofRecordset = (field: string): string => `r."${field}"`;

/** An id as a JSON object keyed by field name, for `json_to_recordset`. */
export function idJson(
  store: RecordStore | CounterStore,
  model: Model,
  idKey: string,
): Record<string, unknown> {
  const id = store.ids.fromKey(idKey);
  const fields = model.id.length === 1 ? { [model.id[0] as string]: id } : (id as Record<string, unknown>);
  return Object.fromEntries(
    Object.entries(fields).map(([name, part]) => [name, idPartJson(model.fields[name], part)]),
  );
}

function idPartJson(field: Field | undefined, part: unknown): unknown {
  if (field?.type === 'Enum') return field.enumValues?.[part as string];
  return typeof part === 'bigint' ? String(part) : part;
}
