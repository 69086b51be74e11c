/** Asks Postgres what `forebay check` must know. */
import { readdir } from 'node:fs/promises';
import type { Config } from '../../config.js';
import { createPlainAdapter, createPrismaAdapter } from '../../connection/postgres.js';
import {
  type DatabaseFacts,
  type MigrationNote,
  type ModelTable,
  readDatabase,
  readMigrations,
  readSettings,
  readTableFacts,
  type Setting,
  type TableFacts,
} from '../../database/inspect.js';
import { openSession, postgresMessage, type Session } from '../../database/session.js';
import { rowStoresOf, type Stores } from '../../definitions/stores.js';
import { type ClockReading, readClock } from './clocks.js';

export interface PostgresFacts extends DatabaseFacts {
  /** Where models without a schema of their own are. */
  readonly schemaName: string;
  readonly settings: ReadonlyMap<string, Setting>;
  readonly worker: Config['worker'];
  readonly ledger: TableFacts | undefined;
  readonly migrations: readonly MigrationNote[] | undefined;
  /** Folders of `prisma/migrations`. */
  readonly migrationFolders: readonly string[];
  /** Of the definitions, where they were given. */
  readonly tables: readonly ModelTable[];
  readonly pooler: Pooler;
  readonly clock: ClockReading;
}

export interface Pooler {
  /** Settings of a session are refused: PgBouncer, and the URL does not say so. */
  readonly isUntold: boolean;
  /** Transactions are refused: PgBouncer's statement mode. */
  readonly isByStatement: boolean;
}

export interface PostgresPlace {
  readonly url: string;
  readonly prefix: string;
  readonly worker: Config['worker'];
  readonly stores: Stores | undefined;
  readonly timeoutMs: number;
}

/** The table of forebay's own, as its model says. */
export const ledgerTable = 'forebay_ledger';

const sessionName = 'forebay-check';

/** @throws what the adapter throws */
export async function readPostgresFacts(place: PostgresPlace): Promise<PostgresFacts> {
  const { url, prefix, worker, stores, timeoutMs } = place;
  const session = await openSession(createPlainAdapter(url, sessionName, timeoutMs));
  try {
    const schemaName = new URL(url).searchParams.get('schema') ?? 'public';
    const database = await readDatabase(session, schemaName, prefix);
    const clock = await readClock(async () => (await readDatabase(session, schemaName, prefix)).now);
    const models = modelsOf(stores);
    const mayLook = database.schema && database.usage;
    return {
      ...database,
      clock,
      schemaName,
      worker,
      settings: await readSettings(session),
      ledger: mayLook
        ? await findLedger(session, [schemaName, ...models.flatMap(({ model }) => model.schema ?? [])])
        : undefined,
      migrations: mayLook ? await readMigrations(session, schemaName) : undefined,
      migrationFolders: await migrationFolders(),
      tables: mayLook ? await readTables(session, models, schemaName) : [],
      pooler: await readPooler(session, url),
    };
  } finally {
    await session.$disconnect();
  }
}

type DefinedModel = Omit<ModelTable, 'found'>;

function modelsOf(stores: Stores | undefined): DefinedModel[] {
  return (stores?.groups ?? []).flatMap(rowStoresOf).flatMap((store): DefinedModel[] => {
    const { source } = store;
    if (source.kind !== 'model') return [];
    const owned = 'counters' in source ? source.counters : [source.field];
    const version = store.kind === 'record' ? store.version : undefined;
    return [{ model: source.model, written: new Set([...owned, ...(version ? [version] : [])]) }];
  });
}

async function findLedger(session: Session, schemas: readonly string[]): Promise<TableFacts | undefined> {
  for (const schema of new Set(schemas)) {
    const found = await readTableFacts(session, schema, ledgerTable);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function readTables(
  session: Session,
  models: readonly DefinedModel[],
  schemaName: string,
): Promise<ModelTable[]> {
  const tables: ModelTable[] = [];
  for (const defined of models) {
    const { schema = schemaName, table } = defined.model;
    tables.push({ ...defined, found: await readTableFacts(session, schema, table) });
  }
  return tables;
}

/** Of the app in whose folder the check is run; none where there is no such folder. */
async function migrationFolders(): Promise<string[]> {
  const entries = await readdir('prisma/migrations', { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function readPooler(session: Session, url: string): Promise<Pooler> {
  const isByStatement = await session.$executeRawUnsafe('BEGIN').then(
    async () => {
      await session.$executeRawUnsafe('ROLLBACK');
      return false;
    },
    (error: unknown) => postgresMessage(error).includes('statement pooling'),
  );
  if (new URL(url).searchParams.get('pgbouncer') === 'true') return { isUntold: false, isByStatement };
  const usual = await openSession(createPrismaAdapter(url, { connections: 1, name: sessionName }));
  try {
    await usual.$queryRawUnsafe('SELECT 1');
    return { isUntold: false, isByStatement };
  } catch (error) {
    return { isUntold: postgresMessage(error).includes('startup parameter'), isByStatement };
  } finally {
    await usual.$disconnect();
  }
}
