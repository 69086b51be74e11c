/** What of a record people may see: its private fields are never shown nor logged. */
import { splitField } from '../keys.js';
import { splitRelease } from './release.js';
import type { LaneGroup, RecordStore } from './stores.js';

type Secretive = Pick<RecordStore, 'privateFields'>;

/** What stands for a private value. */
export const hidden = '•••';
/** Shorter ones would be found in every other word, and tell nobody anything. */
const tellingMin = 3;

/** A row's fields, to be shown. */
export function shownFields(row: object, { privateFields }: Secretive): Record<string, unknown> {
  const fields = Object.entries(row).map(([name, value]) => [name, privateFields.has(name) ? hidden : value]);
  return Object.fromEntries(fields);
}

/** A record as a lane has it, with its private fields hidden. A delta and a delete stay as they are. */
export function shownRecord(record: string, store: Secretive): string {
  const json = jsonOf(record);
  if (json === undefined || store.privateFields.size === 0) return record;
  const head = record.slice(0, record.length - json.length);
  return head + JSON.stringify(shownFields(JSON.parse(json) as object, store));
}

/** What the database says, without its detail, which has the row's values: `(Key (email)=(a@b.c) …)`. */
export function withoutDetail(message: string): string {
  return message.replace(/ \((Failing row contains|Key ).*\)\s*$/s, '');
}

/**
 * What the database says of records, without their private values. @param jsons the records' JSON, where it
 * is known
 */
export function shownMessage(
  message: string,
  jsons: readonly string[],
  { privateFields }: Secretive,
): string {
  if (privateFields.size === 0) return message;
  const telling = jsons
    .flatMap((json) => {
      const fields = JSON.parse(json) as Record<string, unknown>;
      return [...privateFields].flatMap((name) => textsOf(fields[name]));
    })
    .filter((text) => text.length >= tellingMin)
    .sort((a, b) => b.length - a.length);
  return telling.reduce((text, value) => text.replaceAll(value, hidden), withoutDetail(message));
}

/** A value as a message may quote it. */
function textsOf(value: unknown): string[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [String(value)];
  return [JSON.stringify(value), ...Object.values(value).flatMap(textsOf)];
}

/** A dead letter, to be shown. */
export function shownLetter<L extends { readonly records: Readonly<Record<string, string>> }>(
  letter: L,
  { records }: Pick<LaneGroup, 'records'>,
): L {
  const shown = Object.entries(letter.records).map(([field, text]) => {
    const store = records.find(({ name }) => name === splitField(field).store);
    return [field, store ? shownRecord(text, store) : text];
  });
  return { ...letter, records: Object.fromEntries(shown) };
}

/** Of a put as a lane has it; undefined of what holds no row. */
export function jsonOf(record: string): string | undefined {
  const bar = record.indexOf('|');
  if (!/^[PR]\d*\|/.test(record) || !record.includes('{', bar)) return undefined;
  return splitRelease(record, bar + 1).json;
}
