/**
 * An app, Redis, and the workers with Postgres on three hosts, of which two lose each other for a while, without a word to either.
 * Network namespaces are the hosts: needs Linux, root and iproute2. `PARTED_MS`: for how long.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FromHost, ToHost } from '../processes/messages.js';
import { counts } from '../support/activity-replay.js';
import { type HostName, Hosts, pairsOfHosts, whyNoHosts } from '../support/hosts.js';
import { patient } from '../support/patient.js';
import { nextMessage } from '../support/program.js';
import { isOneOf, possibleStates, type Times } from '../support/replayed-rows.js';

const partedMs = Number(process.env.PARTED_MS ?? 6_000);
/** Only a hang lasts so long behind it. */
const backMaxMs = 40_000;
/** What the app's calls may say. A patch has to load a row that Redis does not have. */
const mayBeTold: Readonly<Record<string, readonly string[]>> = {
  'app and redis': ['OUTCOME_UNKNOWN', 'REDIS_UNAVAILABLE'],
  'app and workers': ['DATABASE_UNAVAILABLE of patchTask', 'LOAD_TIMEOUT of patchTask'],
  'redis and workers': [],
};

const reason = await whyNoHosts();
if (reason !== undefined) process.stderr.write(`No hosts can be made here: ${reason}\n`);

let folder: string;
let hosts: Hosts;
let processes: ChildProcess[];

beforeEach(async () => {
  // Postgres's own user must come to it.
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-hosts-'));
  await chmod(folder, 0o711);
  hosts = await Hosts.make();
  processes = [];
});

afterEach(async () => {
  for (const child of processes.reverse()) {
    if (child.exitCode !== null) continue;
    child.disconnect();
    await once(child, 'exit');
  }
  await hosts.remove();
  await rm(folder, { recursive: true });
});

async function start(host: HostName, env: NodeJS.ProcessEnv): Promise<{ child: ChildProcess; url: URL }> {
  const own = { HOST: host, HOST_FOLDER: path.join(folder, host), ...env };
  const child = hosts.fork(host, 'test/processes/host.ts', own);
  processes.push(child);
  const { url } = await nextMessage<Extract<FromHost, { kind: 'ready' }>>(child);
  return { child, url: new URL(url || 'none:') };
}

async function ask<Kind extends FromHost['kind']>(
  child: ChildProcess,
  kind: ToHost['kind'],
): Promise<Extract<FromHost, { kind: Kind }>> {
  const answer = nextMessage<Extract<FromHost, { kind: Kind }>>(child);
  child.send({ kind } satisfies ToHost);
  return answer;
}

/** As another host has to call it. */
function seenFrom(other: HostName, url: URL, host: HostName): string {
  const seen = new URL(url);
  seen.hostname = hosts.address(host, other);
  return seen.toString();
}

const timesOf = ({ end }: { readonly end: string }): Times => ({ min: end === 'persisted' ? 1 : 0, max: 1 });

/** Starts all, parts the two, and lets the app write on behind it. */
async function part(a: HostName, b: HostName) {
  const redis = await start('redis', {});
  const workers = await start('workers', { REDIS_URL: seenFrom('workers', redis.url, 'redis') });
  const app = await start('app', {
    REDIS_URL: seenFrom('app', redis.url, 'redis'),
    DATABASE_URL: seenFrom('app', workers.url, 'workers'),
  });
  await ask(app.child, 'write on');
  await hosts.cut(a, b);
  const cutAt = Date.now();
  await sleep(partedMs);
  await hosts.mend(a, b);
  const mendedAt = Date.now();
  await ask(app.child, 'write on');
  const done = await ask<'done'>(app.child, 'stop');
  const drainedMs = Date.now() - mendedAt;
  return { done, found: await ask<'rows'>(workers.child, 'read rows'), cutAt, drainedMs };
}

describe.skipIf(reason !== undefined)('when two of three hosts lose each other for a while', () => {
  it.each(pairsOfHosts)(
    '%s and %s: what was accepted is in the database, once, and all go on',
    async (a, b) => {
      const pair = `${a} and ${b}`;
      const { done, found, cutAt, drainedMs } = await part(a, b);
      const writes = done.rows.flatMap(([, ofRow]) => ofRow);
      const told = done.refused.map(({ code, kind }) =>
        /^(DATABASE|LOAD)_/.test(code) ? `${code} of ${kind}` : code,
      );
      const outMs = Math.max(...done.outages.map(({ ms }) => ms));
      process.stderr.write(
        `${pair} parted for ${partedMs} ms: a lane was out for ${outMs} ms, all was in the database ${drainedMs} ms after; ` +
          `writes: ${counts(writes.map(({ end }) => end))}, refused: ${counts(told)}\n`,
      );
      const wrong = done.rows.filter(
        ([row, ofRow]) => !isOneOf(possibleStates(ofRow, timesOf), found.rows.get(row)),
      );
      expect(wrong.map(([row]) => ({ row, found: found.rows.get(row) }))).toEqual([]);
      expect(writes.filter(({ end }) => end !== 'persisted' && end !== 'in doubt')).toEqual([]);
      expect(found.events).not.toContain('redis.regressed');
      expect(told.filter((one) => !mayBeTold[pair]?.includes(one))).toEqual([]);
      expect(done.refused.filter(({ at }) => at < cutAt)).toEqual([]);
      expect(done.callsInDoubt.filter((calls) => calls > 1)).toEqual([]);
      expect(outMs).toBeLessThan(partedMs + patient(backMaxMs));
    },
  );
});
