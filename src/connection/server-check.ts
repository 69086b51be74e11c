/**
 * Looks at the Redis it is given, and tells what about it endangers accepted writes, and what could be
 * better.
 */
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { addressesOf, type RedisSettings } from '../redis-settings.js';
import { mastersOf, type Redis, type RedisClient } from './client.js';
import { ServerInfo } from './server-info.js';

/** LPOP with a count is of 6.2. */
const versionMin = [6, 2] as const;
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;
/** The rest is for the copy that a rewrite of the append-only file makes, for buffers, and for the system. */
const memoryShareMax = 0.75;
const usedShareMax = 0.9;

export interface ServerFacts {
  readonly version: string;
  readonly maxmemoryPolicy: string | undefined;
  readonly isAppendOnly: boolean;
  readonly hasSnapshots: boolean;
  readonly role: string | undefined;
  /** `always`, `everysec` or `no`; undefined when the server does not tell. */
  readonly appendfsync?: string | undefined;
  /** Whether the append-only file could be written lately. Default true. */
  readonly isAppendOnlyWritten?: boolean;
  /** Bytes; 0 for no limit; undefined when the server does not tell. */
  readonly maxmemory?: number | undefined;
  readonly usedMemory?: number;
  /** Of the machine, in bytes. */
  readonly systemMemory?: number;
  /** The user that is signed in. */
  readonly user?: string | undefined;
}

/**
 * `fatal`: forebay does not start. `error`: accepted writes can be lost. `warning`: works, and could be
 * better.
 */
export type Severity = 'fatal' | 'error' | 'warning';

export interface ServerWarning {
  readonly what: string;
  readonly advice: string;
}

export interface ServerFinding extends ServerWarning {
  readonly severity: Severity;
}

/** What is wrong with one server. */
export interface ServerReport {
  readonly address: string;
  readonly version: string;
  readonly findings: readonly ServerFinding[];
}

/**
 * Emits a warning for each setting that endangers accepted writes.
 * @throws ForebayError INVALID_CONFIG when the server can't run forebay at all
 */
export async function checkServer(redis: RedisClient, emit: Emit): Promise<void> {
  const reports = await inspectServers(redis);
  const findings = reports.flatMap((report) => report.findings);
  const fatal = findings.find(({ severity }) => severity === 'fatal');
  if (fatal) throw new ForebayError('INVALID_CONFIG', `${fatal.what} ${fatal.advice}`);
  const errors = new Map(
    findings.filter(({ severity }) => severity === 'error').map((finding) => [finding.what, finding]),
  );
  for (const { what, advice } of errors.values()) emit({ type: 'server.warning', what, advice });
}

/** Of a server, or of each master of a cluster. */
export async function inspectServers(redis: RedisClient): Promise<ServerReport[]> {
  return Promise.all(
    mastersOf(redis).map(async (master) => {
      const facts = await readServerFacts(master);
      const { host, port } = master.options;
      return { address: `${host}:${port}`, version: facts.version, findings: serverFindings(facts) };
    }),
  );
}

/** What could be better about the way to a Redis. */
export function accessFindings(settings: RedisSettings): ServerFinding[] {
  const hosts = addressesOf(settings).map(({ host }) => host);
  if (hosts.every((host) => loopback.test(host))) return [];
  const findings: ServerFinding[] = [];
  if (settings.tls === false) {
    findings.push({
      severity: 'warning',
      what: 'The connection is not encrypted, and leaves this machine.',
      advice: 'Use rediss:// or REDIS_TLS=true, unless the network is private.',
    });
  }
  if (settings.password === undefined) {
    findings.push({
      severity: 'warning',
      what: 'There is no password, and the server is not on this machine.',
      advice: 'Give it one, and set REDIS_PASSWORD.',
    });
  }
  return findings;
}

/** The most severe first. */
export function serverFindings(facts: ServerFacts): ServerFinding[] {
  return [...fatalFindings(facts), ...serverWarnings(facts).map(asError), ...adviceOn(facts)];
}

/** What endangers accepted writes. */
export function serverWarnings(facts: ServerFacts): ServerWarning[] {
  return [...evictionWarnings(facts), ...persistenceWarnings(facts)];
}

function asError(warning: ServerWarning): ServerFinding {
  return { severity: 'error', ...warning };
}

function fatalFindings({ version, role }: ServerFacts): ServerFinding[] {
  const findings: ServerFinding[] = [];
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1])) {
    findings.push({
      severity: 'fatal',
      what: `This is Redis ${version}; forebay needs ${versionMin.join('.')} or newer.`,
      advice: 'Update the server.',
    });
  }
  if (role === 'slave') {
    findings.push({
      severity: 'fatal',
      what: 'This Redis is a replica and takes no writes.',
      advice: 'Connect to its primary.',
    });
  }
  return findings;
}

function evictionWarnings({ maxmemoryPolicy }: ServerFacts): ServerWarning[] {
  if (!maxmemoryPolicy?.startsWith('allkeys-')) return [];
  return [
    {
      what: `maxmemory-policy is ${maxmemoryPolicy}: Redis may evict accepted writes before they are in the database.`,
      advice: 'Set it to noeviction (or to volatile-lru, when the job queues live on another server).',
    },
  ];
}

function persistenceWarnings(facts: ServerFacts): ServerWarning[] {
  if (!facts.isAppendOnly) {
    return [
      {
        what: facts.hasSnapshots
          ? 'appendonly is off: a crash of Redis loses what was accepted since the last snapshot.'
          : 'appendonly is off and there are no snapshots: a crash of Redis loses every accepted write.',
        advice: 'Set appendonly yes and appendfsync everysec.',
      },
    ];
  }
  const warnings: ServerWarning[] = [];
  if (facts.isAppendOnlyWritten === false) {
    warnings.push({
      what: 'Redis could not write its append-only file: a crash loses what was accepted since then.',
      advice: 'Check the disk, and the log of Redis.',
    });
  }
  if (facts.appendfsync === 'no') {
    warnings.push({
      what: 'appendfsync is no: a crash of the machine loses what was accepted in the last half minute or so.',
      advice: 'Set appendfsync everysec.',
    });
  }
  return warnings;
}

function adviceOn(facts: ServerFacts): ServerFinding[] {
  return [...speedAdvice(facts), ...memoryAdvice(facts), ...userAdvice(facts)].map((advice) => ({
    severity: 'warning',
    ...advice,
  }));
}

function speedAdvice({ appendfsync }: ServerFacts): ServerWarning[] {
  if (appendfsync !== 'always') return [];
  return [
    {
      what: 'appendfsync is always: every write waits for the disk.',
      advice: 'Set appendfsync everysec, unless no accepted second may be lost.',
    },
  ];
}

function memoryAdvice({ maxmemory, usedMemory = 0, systemMemory = 0 }: ServerFacts): ServerWarning[] {
  if (maxmemory === undefined) return [];
  const advice: ServerWarning[] = [];
  const fitting = systemMemory === 0 ? '75 % of the memory' : megabytes(memoryShareMax * systemMemory);
  if (maxmemory === 0) {
    advice.push({
      what: 'maxmemory is not set: a Redis that grows is ended by the system, rather than refusing writes.',
      advice: `Set maxmemory to at most ${fitting}.`,
    });
  } else if (systemMemory > 0 && maxmemory > memoryShareMax * systemMemory) {
    advice.push({
      what: `maxmemory is ${percent(maxmemory / systemMemory)} of the machine's memory: a rewrite of the append-only file may not fit.`,
      advice: `Set maxmemory to at most ${fitting}.`,
    });
  }
  if (maxmemory > 0 && usedMemory > usedShareMax * maxmemory) {
    advice.push({
      what: `${percent(usedMemory / maxmemory)} of maxmemory is used: at its limit Redis refuses writes.`,
      advice: 'Raise maxmemory, or let the workers drain the backlog.',
    });
  }
  return advice;
}

function userAdvice({ user }: ServerFacts): ServerWarning[] {
  if (user !== 'default') return [];
  return [
    {
      what: 'The user is default, whom Redis allows everything.',
      advice:
        'Make a user for forebay, e.g. ACL SETUSER forebay on >… ~* &* +@all -@admin -@dangerous +info +config|get +client, and set REDIS_USERNAME and REDIS_PASSWORD.',
    },
  ];
}

/** Managed servers may refuse CONFIG and ACL; INFO tells most of it. */
async function readServerFacts(redis: Redis): Promise<ServerFacts> {
  const [info, appendfsync, user] = await Promise.all([
    redis.info().then((text) => new ServerInfo(text)),
    orUndefined(redis.config('GET', 'appendfsync')),
    orUndefined(redis.call('ACL', 'WHOAMI')),
  ]);
  return {
    version: info.text('redis_version') ?? '0',
    maxmemoryPolicy: info.text('maxmemory_policy'),
    isAppendOnly: info.text('aof_enabled') === '1',
    hasSnapshots: info.number('rdb_last_save_time') > 0 && info.text('rdb_last_bgsave_status') === 'ok',
    role: info.text('role'),
    appendfsync: (appendfsync as string[] | undefined)?.[1],
    isAppendOnlyWritten: info.text('aof_last_write_status') !== 'err',
    maxmemory: info.text('maxmemory') === undefined ? undefined : info.number('maxmemory'),
    usedMemory: info.number('used_memory'),
    systemMemory: info.number('total_system_memory'),
    user: user as string | undefined,
  };
}

/** A connection that breaks fails the INFO beside it too. */
async function orUndefined(reply: Promise<unknown>): Promise<unknown> {
  return reply.catch(() => undefined);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1_048_576)}mb`;
}
