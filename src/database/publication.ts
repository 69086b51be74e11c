/**
 * What Postgres must be set up for, so that it tells of changes of the stores' rows: findings, each with the
 * statement that mends it.
 */
import { quoteIdentifier } from '../connection/identifier.js';
import type { Query } from '../connection/postgres-client.js';
import type { Model } from '../definitions/model.js';
import type { Transaction } from '../definitions/record.js';
import { rowStoresOf, type Store, type Stores } from '../definitions/stores.js';
import { ledgerName, tableName } from './names.js';
import { readSql } from './sql-file.js';

/** What is missing, and how it is mended. */
export interface ReplicationFinding {
  readonly what: string;
  readonly advice: string;
  /** That an owner of the tables may run; undefined: it takes more. */
  readonly statement?: string;
}

/** A table whose changes are told. */
export interface PublishedTable {
  readonly schema: string;
  readonly table: string;
}

/** A model whose rows stores have. */
export interface CoveredModel {
  readonly model: Model;
  readonly stores: readonly Store[];
}

/** Postgres cuts longer names. */
const nameLengthMax = 63;

/** One for each prefix. */
export function publicationName(prefix: string): string {
  return prefix.slice(0, nameLengthMax);
}

/**
 * The models whose rows the stores have; a custom store's tables are not known.
 * @internal
 */
export function coveredModels({ groups }: Stores): CoveredModel[] {
  const models = new Map<string, { model: Model; stores: Store[] }>();
  for (const store of groups.flatMap(rowStoresOf)) {
    const model = modelOf(store);
    if (model === undefined) continue;
    const known = models.get(model.name);
    if (known) known.stores.push(store);
    else models.set(model.name, { model, stores: [store] });
  }
  return [...models.values()];
}

function modelOf({ source }: Store): Model | undefined {
  return source.kind === 'model' ? source.model : undefined;
}

/** What the server, or the user's rights, lack. `query`: as the user that reads the changes. */
export async function inspectReplication(query: Query, publication: string): Promise<ReplicationFinding[]> {
  interface Row {
    walLevel: string;
    isAllowed: boolean;
    isThere: boolean;
    isWhole: boolean;
  }
  const [row] = (await query<Row>(readSql('replication'), [publication])) as [Row];
  const name = quoteIdentifier(publication);
  return [
    ...(row.walLevel === 'logical' ? [] : [walLevelFinding(row.walLevel)]),
    ...(row.isAllowed ? [] : [rightFinding]),
    ...(row.isThere ? [] : [{ what: `There is no publication ${name}.`, ...createAdvice(name) }]),
    ...(!row.isThere || row.isWhole ? [] : [partFinding(name)]),
  ];
}

const walLevelFinding = (level: string): ReplicationFinding => ({
  what: `wal_level is ${level}.`,
  advice: "As a superuser: ALTER SYSTEM SET wal_level = 'logical'; then start Postgres again.",
});

const rightFinding: ReplicationFinding = {
  what: 'The user may not replicate.',
  advice:
    'As a superuser: ALTER ROLE <the user> REPLICATION; on Amazon RDS: GRANT rds_replication TO <the user>.',
};

const createAdvice = (name: string): Omit<ReplicationFinding, 'what'> => {
  const statement = `CREATE PUBLICATION ${name} WITH (publish_via_partition_root = true);`;
  return { advice: `As the owner of the database: ${statement}`, statement };
};

const partFinding = (name: string): ReplicationFinding => {
  const statement = `ALTER PUBLICATION ${name} SET (publish = 'insert, update, delete, truncate');`;
  return {
    what: `The publication ${name} does not tell of every kind of change.`,
    advice: statement,
    statement,
  };
};

interface TableRow extends PublishedTable {
  readonly name: string;
  readonly isPublished: boolean;
  readonly identity: string | null;
}

/** What is told of the stores' tables, and what is not. */
export interface PublicationReport {
  readonly ledger: PublishedTable | undefined;
  readonly tables: ReadonlyMap<Model, PublishedTable>;
  readonly findings: readonly ReplicationFinding[];
}

/** How the stores' tables, and the ledger, stand to the publication. Tables that are not there have none. */
export async function inspectPublication(
  database: Transaction,
  covered: readonly CoveredModel[],
  publication: string,
): Promise<PublicationReport> {
  const ledger = ledgerName(database);
  const names = new Map(covered.map(({ model }) => [model, tableName(model, database)]));
  const rows = await database.$queryRawUnsafe<TableRow[]>(
    readSql('published-tables'),
    [...names.values(), ledger],
    publication,
  );
  const byName = new Map(rows.map((row) => [row.name, row]));
  const findings = rows.flatMap((row) => publishedFinding(row, publication));
  const tables = new Map<Model, PublishedTable>();
  for (const [model, name] of names) {
    const row = byName.get(name);
    if (row === undefined) continue;
    tables.set(model, row);
    findings.push(...identityFinding(model, row));
  }
  return { ledger: byName.get(ledger), tables, findings };
}

function publishedFinding({ name, isPublished }: TableRow, publication: string): ReplicationFinding[] {
  if (isPublished) return [];
  const statement = `ALTER PUBLICATION ${quoteIdentifier(publication)} ADD TABLE ${name};`;
  return [{ what: `Changes of table ${name} are not published.`, advice: statement, statement }];
}

/** Without its id a deleted row could not be told from others, and Postgres may refuse updates. */
function identityFinding({ id, fields }: Model, { name, identity }: TableRow): ReplicationFinding[] {
  const told = new Set(JSON.parse(identity ?? '[]') as string[]);
  if (id.every((field) => told.has(fields[field]?.column as string))) return [];
  const statement = `ALTER TABLE ${name} REPLICA IDENTITY FULL;`;
  return [{ what: `A delete of table ${name} does not tell the row's id.`, advice: statement, statement }];
}
