/** Looks at the Redis that an app or a worker is given, for what endangers accepted writes. */
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { mastersOf, type RedisClient } from './client.js';
import { findingsOf } from './finding.js';
import { type ServerFacts, toServerFacts } from './server-facts.js';
import { ServerInfo } from './server-info.js';
import { serverRules } from './server-rules.js';

/**
 * Emits a warning for each setting that endangers accepted writes.
 * @throws ForebayError INVALID_CONFIG when the server can't run forebay at all
 */
export async function checkServer(redis: RedisClient, emit: Emit): Promise<void> {
  const servers = await Promise.all(mastersOf(redis).map(readFacts));
  const findings = servers.flatMap((facts) => findingsOf(serverRules, facts));
  const fatal = findings.find(({ severity }) => severity === 'fatal');
  if (fatal) {
    throw new ForebayError('INVALID_CONFIG', `${fatal.what}: ${fatal.consequence} Mend: ${fatal.mend.line}`);
  }
  for (const { what, consequence, mend } of new Map(findings.map((it) => [it.what, it])).values()) {
    emit({ type: 'server.warning', what: `${what}: ${consequence}`, advice: `Mend: ${mend.line}` });
  }
}

/** Managed servers may refuse CONFIG; INFO tells most of it. */
async function readFacts(redis: ReturnType<typeof mastersOf>[number]): Promise<ServerFacts> {
  const [info, appendfsync] = await Promise.all([
    redis.info().then((text) => new ServerInfo(text)),
    // A connection that breaks fails the INFO beside it too.
    redis.config('GET', 'appendfsync').catch(() => undefined),
  ]);
  const [name, value] = (appendfsync ?? []) as string[];
  return toServerFacts(info, new Map(name === undefined ? [] : [[name, value ?? '']]));
}
