/** Fills the database with a platform's rows: `npm run db:seed -- --help`. The same arguments give the same rows. */

import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { acquireServices } from '../dev/services/acquire.js';
import { ServicesError } from '../dev/services/errors.js';
import { Prisma, type PrismaClient } from '../examples/platform/generated/prisma/client.js';
import { createPrisma } from '../examples/platform/prisma.js';
import { readArguments, SeedError, type SeedOptions, sizes, usage } from './seed/options.js';
import {
  activityRow,
  clientRow,
  type Platform,
  platformOf,
  project,
  sessionRow,
  task,
  teamRows,
  userRow,
} from './seed/platform.js';

export interface SeedResult {
  /** Rows that this call added; the others of the table were there before. */
  readonly tables: readonly { readonly table: string; readonly added: number; readonly rows: number }[];
  readonly seconds: number;
}

/** Hears how many rows of a table are done; `total` counts projects where the table is `team members`. */
export type SeedProgress = (table: string, done: number, total: number) => void;

/** Parents' rows that are made and written at once. */
const chunkSize = 1_000;

/**
 * Rows that are there already are left as they are. The tables must have been migrated.
 * @throws SeedError NOT_MIGRATED
 */
export async function seed(
  prisma: PrismaClient,
  options: SeedOptions = {},
  progress: SeedProgress = () => undefined,
): Promise<SeedResult> {
  const startedMs = performance.now();
  const platform = platformOf(options.users ?? sizes.medium, options.now ?? startOfDay());
  try {
    if (options.reset) await deleteAll(prisma);
    const tables = [];
    for (const table of tablesOf(prisma, platform)) tables.push(await fill(table, progress));
    return { tables, seconds: (performance.now() - startedMs) / 1_000 };
  } catch (error) {
    throw isMissingTable(error) ? notMigrated(error) : error;
  }
}

function startOfDay(): Date {
  return new Date(new Date().toISOString().slice(0, 10));
}

/** Children first. The ledger stays: it says what workers have applied, which a seed does not change. */
async function deleteAll(prisma: PrismaClient): Promise<void> {
  await prisma.activity.deleteMany();
  await prisma.session.deleteMany();
  await prisma.task.deleteMany();
  await prisma.teamMember.deleteMany();
  await prisma.project.deleteMany();
  await prisma.client.deleteMany();
  await prisma.user.deleteMany();
}

interface Table {
  readonly name: string;
  readonly count: number;
  /** Makes and writes the rows of these numbers. */
  write(numbers: readonly number[]): Promise<{ added: number; rows: number }>;
}

/** Parents first. */
function tablesOf(prisma: PrismaClient, platform: Platform): Table[] {
  return [
    tableOf('users', platform.users, (i) => [userRow(platform, i)], prisma.user),
    tableOf('clients', platform.clients, (i) => [clientRow(platform, i)], prisma.client),
    tableOf('projects', platform.projects, (i) => [project(platform, i).row], prisma.project),
    tableOf('team members', platform.projects, (i) => teamRows(platform, i), prisma.teamMember),
    tableOf('tasks', platform.tasks, (i) => [task(platform, i).row], prisma.task),
    tableOf('sessions', platform.sessions, (i) => [sessionRow(platform, i)], prisma.session),
    tableOf('activities', platform.activities, (i) => [activityRow(platform, i)], prisma.activity),
  ];
}

interface Delegate<Row> {
  createMany(args: { data: Row[]; skipDuplicates: boolean }): PromiseLike<{ count: number }>;
}

function tableOf<Row>(
  name: string,
  count: number,
  rowsOf: (index: number) => Row[],
  delegate: Delegate<Row>,
): Table {
  return {
    name,
    count,
    async write(numbers) {
      const data = numbers.flatMap(rowsOf);
      const { count: added } = await delegate.createMany({ data, skipDuplicates: true });
      return { added, rows: data.length };
    },
  };
}

async function fill(
  { name, count, write }: Table,
  progress: SeedProgress,
): Promise<SeedResult['tables'][number]> {
  let [added, rows] = [0, 0];
  for (let start = 0; start < count; start += chunkSize) {
    const length = Math.min(chunkSize, count - start);
    const written = await write(Array.from({ length }, (_, i) => start + i));
    added += written.added;
    rows += written.rows;
    progress(name, start + length, count);
  }
  return { table: name, added, rows };
}

function isMissingTable(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2021';
}

function notMigrated(cause: unknown): SeedError {
  return new SeedError(
    'NOT_MIGRATED',
    "The database lacks the platform's tables: run npm run db:migrate first.",
    cause,
  );
}

async function main(): Promise<void> {
  const options = readArguments(process.argv.slice(2));
  if (options === 'help') return void process.stdout.write(usage);
  const services = await acquireServices({ say: (line) => void process.stderr.write(`${line}\n`) });
  const prisma = createPrisma(services.databaseUrl, { connections: 1, name: 'forebay-seed' });
  try {
    const result = await seed(prisma, options, showProgress);
    process.stderr.write(`${services.description}\n`);
    process.stdout.write(summaryOf(result));
  } finally {
    await prisma.$disconnect();
    await services.release();
  }
}

/** One rewritten line on a terminal; elsewhere a line for each table. */
function showProgress(table: string, done: number, total: number): void {
  const isLast = done === total;
  const text = `${table}: ${done} of ${total}${table === 'team members' ? ' projects' : ''}`;
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}${isLast ? '\r\u001b[K' : ''}`);
  else if (isLast) process.stderr.write(`${text}\n`);
}

function summaryOf({ tables, seconds }: SeedResult): string {
  const lines = tables.map(({ table, added, rows }) => {
    const before = rows === added ? '' : `, ${rows - added} were there before`;
    return `${table.padEnd(12)} ${String(added).padStart(9)} rows${before}\n`;
  });
  const added = tables.reduce((sum, table) => sum + table.added, 0);
  return `${lines.join('')}${'together'.padEnd(12)} ${String(added).padStart(9)} rows in ${seconds.toFixed(1)} s\n`;
}

const started = process.argv[1];
if (started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SeedError || error instanceof ServicesError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
