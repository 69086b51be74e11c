/**
 * What Postgres must be set up for, so that it tells of changes of the stores' rows: findings, each with the
 * statement that mends it.
 */
import { createHash } from 'node:crypto';
import { quoteIdentifier } from '../connection/identifier.js';
import type { Query } from '../connection/postgres-client.js';
import type { Model } from '../definitions/model.js';
import type { Transaction } from '../definitions/record.js';
import { rowStoresOf, type Store, type Stores } from '../definitions/stores.js';
import { tableName } from './names.js';
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
  /** Of one with partitions: the columns that each of these tells of an old row. */
  readonly identity?: ReadonlySet<string>;
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

interface TableRow {
  readonly given: string;
  readonly schema: string;
  readonly table: string;
  readonly isPartition: boolean;
  readonly isParted: boolean;
  readonly isLogged: boolean;
  readonly isPublished: boolean;
  readonly isFiltered: boolean;
  readonly isViaRoot: boolean;
  readonly identity: string | null;
  readonly mark: string | null;
}

/** What is told of the stores' tables, and what is not. */
export interface PublicationReport {
  /** Of each model its table, and that one's children by INHERITS: the rows of these are its rows too. */
  readonly tables: ReadonlyMap<Model, readonly PublishedTable[]>;
  readonly findings: readonly ReplicationFinding[];
  /**
   * Another one when a table was made anew, or published anew: what was written meanwhile may not have been
   * told, though nothing is missing now.
   */
  readonly mark: string;
}

/** How the stores' tables stand to the publication. Tables that are not there have none. */
export async function inspectPublication(
  database: Transaction,
  covered: readonly CoveredModel[],
  publication: string,
): Promise<PublicationReport> {
  const names = new Map(covered.map(({ model }) => [model, tableName(model, database)]));
  const rows = await database.$queryRawUnsafe<TableRow[]>(
    readSql('published-tables'),
    [...names.values()],
    publication,
  );
  const tables = new Map<Model, PublishedTable[]>();
  const identities: ReplicationFinding[] = [];
  for (const [model, name] of names) {
    const own = rows.filter(({ given }) => given === name);
    tables.set(model, publishedTables(own));
    identities.push(...own.flatMap((row) => identityFinding(model, row)));
  }
  // A table that is published before it has an identity refuses updates.
  const findings = [...identities, ...publicationFindings(rows, quoteIdentifier(publication))];
  return { tables, findings, mark: markOf(rows, tables) };
}

function publishedTables(rows: readonly TableRow[]): PublishedTable[] {
  const identity = commonOf(rows.filter(isLeaf).map(columnsOf));
  return rows.flatMap(({ schema, table, isPartition, isParted }) =>
    isPartition ? [] : [{ schema, table, ...(isParted && { identity }) }],
  );
}

const isLeaf = ({ isPartition, isParted }: TableRow): boolean => isPartition && !isParted;
const columnsOf = ({ identity }: TableRow): string[] => JSON.parse(identity ?? '[]') as string[];

function commonOf([first = [], ...others]: readonly (readonly string[])[]): Set<string> {
  return new Set(first.filter((column) => others.every((columns) => columns.includes(column))));
}

/** Short, and without spaces. */
function markOf(rows: readonly TableRow[], tables: PublicationReport['tables']): string {
  const identities = [...tables.values()].flat().map(({ identity }) => [...(identity ?? [])].sort());
  const marks = JSON.stringify([rows.flatMap(({ mark }) => mark ?? []), identities]);
  return createHash('sha256').update(marks).digest('hex').slice(0, 16);
}

function publicationFindings(rows: readonly TableRow[], publication: string): ReplicationFinding[] {
  const isViaRoot = rows.every((row) => row.isViaRoot || !row.isParted);
  return [
    ...(isViaRoot ? [] : [rootFinding(publication)]),
    ...rows.flatMap((row) => publishedFinding(row, publication)),
  ];
}

const rootFinding = (publication: string): ReplicationFinding => {
  const statement = `ALTER PUBLICATION ${publication} SET (publish_via_partition_root = true);`;
  return {
    what: `The publication ${publication} tells of partitions by their own names.`,
    advice: statement,
    statement,
  };
};

function publishedFinding(row: TableRow, publication: string): ReplicationFinding[] {
  const name = nameOf(row);
  const add = `ALTER PUBLICATION ${publication} ADD TABLE ONLY ${name};`;
  if (!row.isLogged)
    return [{ what: `Table ${name} is not logged.`, advice: `ALTER TABLE ${name} SET LOGGED;` }];
  if (row.isPartition) return [];
  if (!row.isPublished)
    return [{ what: `Changes of table ${name} are not published.`, advice: add, statement: add }];
  if (!row.isFiltered) return [];
  const statement = `ALTER PUBLICATION ${publication} DROP TABLE ONLY ${name}; ${add}`;
  return [{ what: `Not all rows and columns of table ${name} are published.`, advice: statement, statement }];
}

/** Without its id a deleted row could not be told from others, and Postgres may refuse updates. */
function identityFinding({ id, fields }: Model, row: TableRow): ReplicationFinding[] {
  const told = new Set(columnsOf(row));
  const isBetween = row.isPartition && row.isParted;
  if (isBetween || id.every((field) => told.has(fields[field]?.column as string))) return [];
  const name = nameOf(row);
  const statement = `ALTER TABLE ${name} REPLICA IDENTITY FULL;`;
  return [{ what: `A delete of table ${name} does not tell the row's id.`, advice: statement, statement }];
}

const nameOf = ({ schema, table }: TableRow): string =>
  `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
