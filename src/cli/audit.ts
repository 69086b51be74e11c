/** `cache:audit`: tells which entries are not as their rows. */
import { parseArgs } from 'node:util';
import { connect } from '../app/connect.js';
import { type Config, readConfig, requireDatabaseUrl } from '../config.js';
import type { Database } from '../database/database.js';
import type { Stores } from '../definitions/stores.js';
import { messageOf } from '../errors.js';
import { type AuditReport, auditEntries } from './audit-entries.js';
import { withConnections } from './with-connections.js';

/** What the command needs. */
export interface AuditCommandOptions {
  /** What `defineStores` gave. */
  readonly stores: Stores;
  /** Makes the Prisma client of the run; it is closed at the end. */
  readonly createPrisma: (databaseUrl: string) => Database;
}

const helpText = `Usage: npm run cache:audit [-- OPTION …]

Compares entries of rows and counters with the database, and tells which differ. What is pending is not compared. One that differs is
looked at again after a grace, for a change may be on its way.

  --sample N   so many entries, chosen by chance; default 10000
  --grace MS   default 1000
  --exact      waits until all that is accepted is in the database, then compares all entries
  --json       the report as JSON
  --help       this text

Environment: DATABASE_URL, REDIS_URL and so on, as for workers (see forebay's README).
Exit code: 0 when no entry differs, 1 when one does or the audit fails, 2 for a wrong option.
`;

interface Order {
  readonly entriesMax: number;
  readonly graceMs: number;
  readonly isExact: boolean;
  readonly isJson: boolean;
}

/** The command, as a process of its own: sets the exit code. */
export async function runAuditCommand(options: AuditCommandOptions): Promise<void> {
  const write = (text: string): void => void process.stdout.write(text);
  const order = toOrder(process.argv.slice(2));
  if (order === 'help' || order === undefined) {
    (order === 'help' ? process.stdout : process.stderr).write(helpText);
    process.exitCode = order === 'help' ? 0 : 2;
    return;
  }
  try {
    process.exitCode = await audit(order, options, write);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

function toOrder(args: readonly string[]): Order | 'help' | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        sample: { type: 'string', default: '10000' },
        grace: { type: 'string', default: '1000' },
        exact: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return 'help';
    if (![values.sample, values.grace].every((text) => /^\d{1,9}$/.test(text))) return undefined;
    const entriesMax = values.exact ? Number.MAX_SAFE_INTEGER : Number(values.sample);
    return { entriesMax, graceMs: Number(values.grace), isExact: values.exact, isJson: values.json };
  } catch {
    return undefined; // Told as a wrong option.
  }
}

/** @throws ForebayError INVALID_CONFIG, REDIS_UNAVAILABLE, FLUSH_TIMEOUT; what the database throws */
async function audit(
  { isExact, isJson, ...limits }: Order,
  { stores, createPrisma }: AuditCommandOptions,
  write: (text: string) => void,
  config: Config = readConfig(),
): Promise<number> {
  const database = createPrisma(requireDatabaseUrl(config));
  try {
    if (isExact) await drain(stores, database, config);
    const report = await withConnections({ redis: [config.redis, 'reads'] }, ({ redis }) =>
      auditEntries({ redis, prefix: config.prefix, stores, database }, limits),
    );
    write(isJson ? `${JSON.stringify(report, null, 2)}\n` : toText(report));
    return report.violations.length === 0 ? 0 : 1;
  } finally {
    await database.$disconnect();
  }
}

async function drain(stores: Stores, prisma: Database, config: Config): Promise<void> {
  const app = await connect(stores, { prisma, config, cache: { l1: false } });
  try {
    await app.flush();
  } finally {
    await app.close();
  }
}

function toText({ compared, skipped, late, violations }: AuditReport): string {
  const share = compared === 0 ? 100 : (100 * (compared - late - violations.length)) / compared;
  return [
    ...violations.map(
      ({ store, id, key, livesForMs }) =>
        `${store}:${id} is not as its row, and would live for ${Math.round(livesForMs / 1_000)} s more (${key})`,
    ),
    `${compared} entries compared, ${skipped} with pending writes or under way; ${share.toFixed(3)} % were as their rows at once, ` +
      `${late} within the grace, ${violations.length} were not.`,
    '',
  ].join('\n');
}
