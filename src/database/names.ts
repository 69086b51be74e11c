/**
 * Tables' names, in the schemas where plain Prisma has them. A session's search path does not count: Prisma's
 * own queries do not go by it either, and behind a pooler it may be anybody's.
 */
import { quoteIdentifier } from '../connection/identifier.js';
import type { Model } from '../definitions/model.js';
import type { Transaction } from '../definitions/record.js';

/** What a Prisma client knows of itself, and tells nobody publicly. */
interface PrismaInternals {
  readonly _engineConfig?: { readonly adapter?: Adapter; readonly inlineSchema?: string };
}

interface Adapter {
  readonly options?: { readonly schema?: string };
  readonly config?: { readonly connectionString?: string };
}

const ledger = 'forebay_ledger';
/** Prisma's, where nothing else is said. */
const usualSchema = 'public';

export function tableName(model: Model, database: Transaction): string {
  return qualified(model.schema ?? defaultSchema(database), model.table);
}

/** Of each client: every batch asks, and Prisma's schema is long. */
const ledgerNames = new WeakMap<Transaction, string>();

/** Of forebay's own table: its model may have a schema, as any. */
export function ledgerName(database: Transaction): string {
  const known = ledgerNames.get(database);
  if (known !== undefined) return known;
  const text = (database as PrismaInternals)._engineConfig?.inlineSchema ?? '';
  const name = qualified(ledgerSchema(text) ?? defaultSchema(database), ledger);
  ledgerNames.set(database, name);
  return name;
}

/** Read from Prisma's schema: the data model of a client has it since Prisma 7.10 only. */
function ledgerSchema(text: string): string | undefined {
  const bodies = [...text.matchAll(/^\s*model\s+\w+\s*\{([\s\S]*?)^\s*\}/gm)].map(([, body = '']) => body);
  const body = bodies.find((it) => it.includes(`@@map("${ledger}")`));
  return body && /@@schema\((?:map:\s*)?"([^"]+)"\)/.exec(body)?.[1];
}

/** The adapter's, else `?schema=` of its URL. Undefined for what is no Prisma client: the session's. */
function defaultSchema(database: Transaction): string | undefined {
  const adapter = (database as PrismaInternals)._engineConfig?.adapter;
  if (adapter === undefined) return undefined;
  return adapter.options?.schema ?? schemaOfUrl(adapter.config?.connectionString) ?? usualSchema;
}

function schemaOfUrl(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  return new URL(url).searchParams.get('schema') ?? undefined;
}

function qualified(schema: string | undefined, table: string): string {
  const name = quoteIdentifier(table);
  return schema === undefined ? name : `${quoteIdentifier(schema)}.${name}`;
}
