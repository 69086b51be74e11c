/**
 * Messages of Postgres's plugin pgoutput, version 1.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */

/** A row's columns in the table's order. They are looked up when they are asked for: of most rows one is. */
export class Tuple {
  readonly #bytes: Buffer;
  readonly #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Null for NULL, undefined for what was not sent. */
  text(column: number): string | null | undefined {
    const reader = new Reader(this.#bytes, this.#at);
    if (column >= reader.uint16()) return undefined;
    for (let i = 0; i < column; i++) reader.skipValue();
    return reader.value();
  }
}

export interface Relation {
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  /** By name. */
  readonly columns: ReadonlyMap<string, RelationColumn>;
}

export interface RelationColumn {
  /** In a row of the table. */
  readonly index: number;
  /** Whether the old row of a change has it. */
  readonly isIdentity: boolean;
}

export interface RowChange {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly oid: number;
  /** The row before, with the columns of the replica identity; where these changed, and of a delete. */
  readonly before?: Tuple;
  readonly after?: Tuple;
}

export type Message =
  | { readonly kind: 'begin'; readonly xid: number; readonly committedAtMs: number }
  /** `lsn`: behind it. */
  | { readonly kind: 'commit'; readonly lsn: bigint }
  | { readonly kind: 'relation'; readonly relation: Relation }
  | RowChange
  | { readonly kind: 'truncate'; readonly oids: readonly number[] }
  /** What a program has had Postgres tell, as a part of the transaction. */
  | { readonly kind: 'told'; readonly name: string; readonly text: string }
  | { readonly kind: 'other' };

/** Postgres counts from 2000. */
const epochMs = 946_684_800_000;

export function parseMessage(bytes: Buffer): Message {
  const reader = new Reader(bytes);
  switch (reader.char()) {
    case 'B':
      reader.skip(8);
      return { kind: 'begin', committedAtMs: reader.timeMs(), xid: reader.uint32() };
    case 'C':
      reader.skip(9);
      return { kind: 'commit', lsn: reader.uint64() };
    case 'R':
      return { kind: 'relation', relation: parseRelation(reader) };
    case 'I':
      return parseRow('insert', reader);
    case 'U':
      return parseRow('update', reader);
    case 'D':
      return parseRow('delete', reader);
    case 'T':
      return { kind: 'truncate', oids: parseTruncate(reader) };
    case 'M':
      return parseTold(reader);
    default:
      return { kind: 'other' };
  }
}

function parseRelation(reader: Reader): Relation {
  const oid = reader.uint32();
  // An empty name stands for Postgres's own schema.
  const schema = reader.text() || 'pg_catalog';
  const table = reader.text();
  reader.skip(1);
  const columns = Array.from({ length: reader.uint16() }, (_, index) => {
    const isIdentity = (reader.uint8() & 1) === 1;
    const name = reader.text();
    reader.skip(8);
    return [name, { index, isIdentity }] as const;
  });
  return { oid, schema, table, columns: new Map(columns) };
}

function parseRow(kind: RowChange['kind'], reader: Reader): RowChange {
  const oid = reader.uint32();
  const part = reader.char();
  if (part === 'N') return { kind, oid, after: reader.tuple() };
  const before = reader.tuple();
  if (kind === 'delete') return { kind, oid, before };
  reader.skipTuple();
  reader.skip(1);
  return { kind, oid, before, after: reader.tuple() };
}

function parseTruncate(reader: Reader): number[] {
  const count = reader.uint32();
  reader.skip(1);
  return Array.from({ length: count }, () => reader.uint32());
}

function parseTold(reader: Reader): Message {
  const isOfTransaction = reader.uint8() === 1;
  reader.skip(8);
  const name = reader.text();
  return isOfTransaction ? { kind: 'told', name, text: reader.textOf(reader.uint32()) } : { kind: 'other' };
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#move(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#move(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#move(4));
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#move(8));
  }

  timeMs(): number {
    return epochMs + Number(this.#bytes.readBigInt64BE(this.#move(8)) / 1_000n);
  }

  char(): string {
    return String.fromCharCode(this.uint8());
  }

  /** Up to a zero. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    return this.#bytes.toString('utf8', this.#move(end + 1 - this.#at), end);
  }

  textOf(bytes: number): string {
    const start = this.#move(bytes);
    return this.#bytes.toString('utf8', start, start + bytes);
  }

  tuple(): Tuple {
    return new Tuple(this.#bytes, this.#at);
  }

  skipTuple(): void {
    const columns = this.uint16();
    for (let i = 0; i < columns; i++) this.skipValue();
  }

  value(): string | null | undefined {
    const kind = this.char();
    if (kind !== 't') return kind === 'n' ? null : undefined;
    return this.textOf(this.uint32());
  }

  skipValue(): void {
    if (this.char() === 't') this.skip(this.uint32());
  }

  /** Where it stood. */
  #move(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
