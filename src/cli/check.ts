/**
 * `forebay check`: tells what is wrong with the Redis and the Postgres of the environment, what comes of it,
 * and the line that mends it. It changes nothing.
 */
import type { Config } from '../config.js';
import type { Stores } from '../definitions/stores.js';
import { clockFindings } from './check/clocks.js';
import { lookAtPostgres } from './check/postgres.js';
import { lookAtRedis } from './check/redis.js';
import { isError, type Report, reportJson, reportText } from './check/report.js';

/** How long a server has to answer. */
const answerMs = 5_000;

export interface CheckOptions {
  readonly isJson: boolean;
  /** Warnings count as errors. */
  readonly isStrict: boolean;
  /** Whose tables are looked at; undefined: none. */
  readonly stores?: Stores | undefined;
}

/** Says what is wrong, and returns the exit code: 1 when there is an error. */
export async function check(
  config: Config,
  say: (text: string) => void,
  { isJson, isStrict, stores }: CheckOptions,
): Promise<number> {
  const reports = await lookAtAll(config, stores, answerMs);
  say(isJson ? reportJson(reports) : reportText(reports));
  const findings = reports.flatMap((report) => report.findings);
  return findings.some((finding) => isStrict || isError(finding)) ? 1 : 0;
}

/** Never throws: what can't be asked is a finding. */
export async function lookAtAll(
  config: Config,
  stores: Stores | undefined,
  timeoutMs: number,
): Promise<readonly Report[]> {
  const [redis, postgres] = await Promise.all([
    lookAtRedis(config, timeoutMs),
    lookAtPostgres(config, stores, timeoutMs),
  ]);
  const clocks = clockFindings({ redis: redis.clock, postgres: postgres.clock });
  return [
    ...redis.reports,
    postgres.report,
    ...(clocks.length === 0 ? [] : [{ place: 'Clocks', findings: clocks }]),
  ];
}
