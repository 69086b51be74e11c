/** `forebay audit`: tells which entries are not as their rows. */
import { connect } from '../app/connect.js';
import { type AuditReport, auditEntries } from '../audit/audit-entries.js';
import { requireDatabaseUrl } from '../config.js';
import { createPlainAdapter } from '../connection/postgres.js';
import { openSession } from '../database/session.js';
import { duration, toMs } from '../operations/duration.js';
import { auditDefaults } from './audit-options.js';
import { type Call, type Io, UsageError } from './command.js';
import { storesOf } from './load-stores.js';
import { withConnections } from './with-connections.js';

const databaseAnswerMs = 60_000;

/**
 * Returns the exit code: 1 when an entry differs. @throws UsageError without stores; ForebayError
 * INVALID_CONFIG, REDIS_UNAVAILABLE, FLUSH_TIMEOUT; what the database throws
 */
export async function audit(call: Call, io: Io): Promise<number> {
  const config = io.config();
  const { redis: settings, prefix } = config;
  const databaseUrl = requireDatabaseUrl(config);
  const stores = await storesOf(call, config);
  if (!stores) throw new UsageError('Which entries? Give --stores FILE, or set FOREBAY_STORES.');
  const isExact = call.has('exact');
  const limits = {
    entriesMax: isExact ? Number.MAX_SAFE_INTEGER : Number(call.valueOf('sample') ?? auditDefaults.sample),
    graceMs: toMs(call.valueOf('grace') ?? auditDefaults.grace) ?? 0,
  };
  return withConnections({ redis: [settings, 'reads'] }, async ({ redis }, resources) => {
    const database = await openSession(createPlainAdapter(databaseUrl, 'forebay-audit', databaseAnswerMs));
    resources.own('database', database, (it) => it.$disconnect());
    if (isExact) {
      const app = await connect(stores, { prisma: database, config, cache: { l1: false } });
      resources.own('app', app, (it) => it.close());
      await app.flush();
    }
    const report = await auditEntries({ redis, prefix, stores, database }, limits);
    io.out.write(call.has('json') ? `${JSON.stringify(report, null, 2)}\n` : toText(report));
    return report.violations.length === 0 ? 0 : 1;
  });
}

function toText({ compared, skipped, late, violations }: AuditReport): string {
  const share = compared === 0 ? 100 : (100 * (compared - late - violations.length)) / compared;
  return [
    ...violations.map(
      ({ store, id, key, livesForMs }) =>
        `${store}:${id} is not as its row, and would live for ${duration(livesForMs)} more (${key})`,
    ),
    `${compared} entries compared, ${skipped} with pending writes or under way; ${share.toFixed(3)} % were as their rows at once, ` +
      `${late} within the grace, ${violations.length} were not.`,
    '',
  ].join('\n');
}
