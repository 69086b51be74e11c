/** `forebay check`: tells what is wrong with the Redis of the environment. */
import { isDeepStrictEqual } from 'node:util';
import { type Config, readConfig } from '../config.js';
import { accessFindings, inspectServers, type ServerFinding } from '../connection/server-check.js';
import { placeOf, type RedisSettings } from '../redis-settings.js';
import { withConnections } from './with-connections.js';

/**
 * Says what is wrong, and returns the exit code: 1 when there is an error.
 * @throws ForebayError INVALID_CONFIG, REDIS_UNAVAILABLE
 */
export async function check(say: (line: string) => void, config: Config = readConfig()): Promise<number> {
  const findings: ServerFinding[] = [];
  for (const settings of placesOf(config)) findings.push(...(await checkPlace(settings, say)));
  const errors = findings.filter(isError).length;
  say(`${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`);
  return errors === 0 ? 0 : 1;
}

function placesOf({ redis, queueRedis }: Config): RedisSettings[] {
  return isDeepStrictEqual(redis, queueRedis) ? [redis] : [redis, queueRedis];
}

async function checkPlace(settings: RedisSettings, say: (line: string) => void): Promise<ServerFinding[]> {
  return withConnections({ reads: [settings, 'reads'] }, async ({ reads }) => {
    say(placeOf(settings));
    const access = accessFindings(settings);
    for (const finding of access) say(lineOf(finding));
    const reports = await inspectServers(reads);
    for (const { address, version, findings } of reports) {
      say(`  ${address}, version ${version}${findings.length === 0 ? ': as it should be' : ''}`);
      for (const finding of findings) say(lineOf(finding));
    }
    return [...access, ...reports.flatMap(({ findings }) => findings)];
  });
}

function lineOf(finding: ServerFinding): string {
  return `  ${isError(finding) ? 'ERROR  ' : 'warning'} ${finding.what} ${finding.advice}`;
}

function isError({ severity }: ServerFinding): boolean {
  return severity !== 'warning';
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
