/** Looks at the Redis of the environment, and at that of the queues where it is another. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config.js';
import { mastersOf } from '../../connection/client.js';
import { inTime } from '../../connection/deadline.js';
import { environment, type Finding, findingsOf, type Rule } from '../../connection/finding.js';
import { closeConnections, openConnections } from '../../connection/redis.js';
import { serverRules } from '../../connection/server-rules.js';
import { messageOf } from '../../errors.js';
import { addressesOf, placeOf } from '../../redis-settings.js';
import { accessFindings } from './access.js';
import type { ClockReading } from './clocks.js';
import { memoryRules } from './memory-rules.js';
import { type RedisFacts, type RedisPlace, readRedisFacts } from './redis-facts.js';
import { redisRules } from './redis-rules.js';
import type { Report } from './report.js';

export const allRedisRules: readonly Rule<RedisFacts>[] = [...serverRules, ...memoryRules, ...redisRules];

export const awayCode = {
  code: 'REDIS_UNAVAILABLE',
  severity: 'error',
  about: 'Redis is away, refuses the connection, or does not answer.',
} as const;

const closeMs = 500;

export interface RedisLook {
  readonly reports: readonly Report[];
  readonly clock: ClockReading | undefined;
}

/** Never throws: what can't be asked is a finding. */
export async function lookAtRedis(
  { prefix, redis, queueRedis }: Config,
  timeoutMs: number,
): Promise<RedisLook> {
  const isOne = isDeepStrictEqual(redis, queueRedis);
  const isOneServer = isDeepStrictEqual(addressesOf(redis), addressesOf(queueRedis));
  const places: RedisPlace[] = [
    { settings: redis, carries: isOneServer ? 'both' : 'cache', prefix, variables: 'REDIS_' },
    ...(isOne
      ? []
      : [
          {
            settings: queueRedis,
            carries: isOneServer ? 'both' : 'queues',
            prefix,
            variables: 'QUEUE_REDIS_',
          } as const,
        ]),
  ];
  const looks = await Promise.all(places.map((place) => lookAtPlace(place, timeoutMs)));
  return {
    reports: looks.flatMap(({ reports }) => reports),
    clock: looks.find(({ clock }) => clock !== undefined)?.clock,
  };
}

async function lookAtPlace(place: RedisPlace, timeoutMs: number): Promise<RedisLook> {
  const { settings } = place;
  const access = accessFindings(settings, place.variables);
  const broken = 'nodes' in settings ? await brokenNodes(place, timeoutMs) : [];
  const servers = broken.length > 0 ? { found: broken } : await factsOf(place, timeoutMs);
  if ('error' in servers) {
    const findings = [unavailable(place, servers.error), ...access];
    return { reports: [{ place: placeOf(settings), findings }], clock: undefined };
  }
  return {
    reports: servers.found.map((facts, i) => reportOf(facts, i === 0 ? access : [])),
    clock: servers.found[0]?.clock,
  };
}

type Servers = { readonly found: readonly RedisFacts[] } | { readonly error: unknown };

/** Of each master. */
async function factsOf(place: RedisPlace, timeoutMs: number): Promise<Servers> {
  try {
    const plan = { check: [place.settings, 'reads'] } as const;
    const connections = await openConnections(plan, () => undefined, { timeoutMs });
    try {
      const reading = mastersOf(connections.check).map((master) => readRedisFacts(master, place));
      return { found: await inTime(Promise.all(reading), timeoutMs) };
    } finally {
      await closeConnections(connections, closeMs);
    }
  } catch (error) {
    return { error };
  }
}

/** Of a cluster that can't be used as such: its nodes, each asked alone, tell why. */
async function brokenNodes(place: RedisPlace, timeoutMs: number): Promise<RedisFacts[]> {
  const { settings } = place;
  const { username, password, tls } = settings;
  const access = { db: 0, tls, ...(username ? { username } : {}), ...(password ? { password } : {}) };
  const nodes = await Promise.all(
    addressesOf(settings).map((address) =>
      factsOf({ ...place, settings: { ...address, ...access } }, timeoutMs),
    ),
  );
  return nodes
    .flatMap((node) => ('found' in node ? node.found : []))
    .filter(({ cluster }) => cluster !== undefined && cluster.state !== 'ok')
    .map((facts) => ({ ...facts, settings }));
}

function reportOf(facts: RedisFacts, access: readonly Finding[]): Report {
  return {
    place: `Redis at ${facts.address}`,
    version: facts.version,
    findings: [...findingsOf(allRedisRules, facts), ...access],
  };
}

function unavailable({ variables }: RedisPlace, error: unknown): Finding {
  const message = messageOf(error);
  const isKeptOut = /AUTH|WRONGPASS|password/i.test(message);
  return {
    code: awayCode.code,
    severity: 'error',
    what: message.replace(/ (Check|Raise|Give) .*$/, '').replace(/\.$/, ''),
    consequence: 'nothing can be written, and every read goes to the database.',
    mend: environment(
      isKeptOut ? `${variables}USERNAME=… ${variables}PASSWORD=…` : `${variables}URL=redis://…`,
    ),
  };
}
