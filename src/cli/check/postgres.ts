/** Looks at the Postgres of the environment. */
import type { Config } from '../../config.js';
import { inTime } from '../../connection/deadline.js';
import { environment, type Finding, findingsOf, type Rule } from '../../connection/finding.js';
import { postgresMessage } from '../../database/session.js';
import type { Stores } from '../../definitions/stores.js';
import type { ClockReading } from './clocks.js';
import { ledgerRules } from './ledger-rules.js';
import { type PostgresFacts, readPostgresFacts } from './postgres-facts.js';
import { postgresRules } from './postgres-rules.js';
import type { Report } from './report.js';
import { tableRules } from './table-rules.js';

export const allPostgresRules: readonly Rule<PostgresFacts>[] = [
  ...postgresRules,
  ...ledgerRules,
  ...tableRules,
];

export const postgresCodes = [
  { code: 'POSTGRES_NOT_SET', severity: 'warning', about: '`DATABASE_URL` is not set.' },
  {
    code: 'POSTGRES_UNAVAILABLE',
    severity: 'error',
    about: 'Postgres is away, refuses the connection, or does not answer.',
  },
] as const;

export interface PostgresLook {
  readonly report: Report;
  readonly clock: ClockReading | undefined;
}

/** Never throws: what can't be asked is a finding. */
export async function lookAtPostgres(
  { prefix, databaseUrl, worker }: Config,
  stores: Stores | undefined,
  timeoutMs: number,
): Promise<PostgresLook> {
  if (databaseUrl === undefined)
    return { report: { place: 'Postgres', findings: [notSet] }, clock: undefined };
  const place = placeOf(databaseUrl);
  try {
    const reading = readPostgresFacts({ url: databaseUrl, prefix, worker, stores, timeoutMs });
    const facts = await inTime(reading, 2 * timeoutMs);
    return {
      report: { place, version: facts.version, findings: findingsOf(allPostgresRules, facts) },
      clock: facts.clock,
    };
  } catch (error) {
    return { report: { place, findings: [unavailable(error)] }, clock: undefined };
  }
}

/** Without user and password. */
function placeOf(databaseUrl: string): string {
  const { hostname, port, pathname, searchParams } = new URL(databaseUrl);
  const schema = searchParams.get('schema');
  return `Postgres at ${hostname}:${port || 5_432}${pathname}${schema === null ? '' : `, schema ${schema}`}`;
}

const notSet: Finding = {
  code: 'POSTGRES_NOT_SET',
  severity: 'warning',
  what: 'DATABASE_URL is not set',
  consequence: 'Postgres was not looked at, and workers do not start without it.',
  mend: environment('DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/NAME'),
};

function unavailable(error: unknown): Finding {
  return {
    code: 'POSTGRES_UNAVAILABLE',
    severity: 'error',
    what: `Postgres can't be used: ${postgresMessage(error).replace(/\.$/, '')}`,
    consequence: 'nothing is applied: writes are accepted until the backlog is full.',
    mend: environment('DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/NAME'),
  };
}
