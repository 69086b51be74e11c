/** Whether Postgres is set up to tell of changes; and the statements that set it up. */
import { withPostgres } from '../../connection/postgres-client.js';
import { type Database, databaseUnavailable } from '../../database/database.js';
import {
  coveredModels,
  inspectPublication,
  inspectReplication,
  type PublicationReport,
  publicationName,
  type ReplicationFinding,
} from '../../database/publication.js';
import type { Stores } from '../../definitions/stores.js';
import { ForebayError, isForebayError, messageOf } from '../../errors.js';

/** What is set up: the stores' tables, in which database, for which prefix. */
export interface ChangesSetup {
  /** What `defineStores` gave. */
  readonly stores: Stores;
  /** A Prisma client: it knows the tables' schemas. It stays the caller's. */
  readonly prisma: Database;
  /** Postgres itself, as the change worker has it. */
  readonly databaseUrl: string;
  /** What `readConfig` gave. */
  readonly prefix: string;
}

const connectionName = 'forebay-changes-setup';

/** @throws ForebayError CHANGES_UNAVAILABLE with the statements that mend it, DATABASE_UNAVAILABLE */
export async function checkChanges(setup: ChangesSetup): Promise<PublicationReport> {
  const { report, findings } = await inspect(setup);
  if (findings.length === 0) return report;
  const problems = findings.map(({ what, advice }) => `- ${what} ${advice}`);
  throw new ForebayError(
    'CHANGES_UNAVAILABLE',
    `Postgres does not tell of changes:\n${problems.join('\n')}`,
    { context: { statements: findings.flatMap(({ statement }) => statement ?? []) } },
  );
}

/**
 * Makes the publication for a change worker, or adds what it lacks, as the user of `databaseUrl`; returns the
 * statements that it ran.
 * @throws ForebayError CHANGES_UNAVAILABLE for what takes more than a statement, and for one that Postgres
 * refuses; DATABASE_UNAVAILABLE
 */
export async function setUpChanges(setup: ChangesSetup): Promise<string[]> {
  const { findings } = await inspect(setup);
  const statements = findings.flatMap(({ statement }) => statement ?? []);
  await orUnavailable(
    withPostgres(setup.databaseUrl, connectionName, async (query) => {
      for (const statement of statements) await query(statement).catch(orRefused(statement));
    }),
  );
  await checkChanges(setup);
  return statements;
}

async function inspect({ stores, prisma, databaseUrl, prefix }: ChangesSetup): Promise<{
  report: PublicationReport;
  findings: readonly ReplicationFinding[];
}> {
  const publication = publicationName(prefix);
  const server = await orUnavailable(
    withPostgres(databaseUrl, connectionName, (query) => inspectReplication(query, publication)),
  );
  const report = await orUnavailable(inspectPublication(prisma, coveredModels(stores), publication));
  return { report, findings: [...server, ...report.findings] };
}

/** Data, rights and names, states of objects: another try would fare no better. */
const refusedClasses = new Set(['22', '42', '55']);
/** Whoever holds the lock lets it go. */
const lockNotAvailable = '55P03';
/** Somebody else sets up too: whether all is there is looked at in the end. */
const duplicateObject = '42710';

const orRefused =
  (statement: string) =>
  (error: unknown): void => {
    const state = String((error as { code?: unknown }).code);
    if (state === duplicateObject) return;
    if (state === lockNotAvailable || !refusedClasses.has(state.slice(0, 2))) throw error;
    throw new ForebayError(
      'CHANGES_UNAVAILABLE',
      `Postgres refuses what changes need: ${messageOf(error)}. Run it as a user who may: ${statement}`,
      { context: { statements: [statement] }, cause: error },
    );
  };

async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (isForebayError(error)) throw error;
    throw databaseUnavailable(error);
  }
}
