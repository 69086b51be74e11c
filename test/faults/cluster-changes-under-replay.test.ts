/**
 * A history is replayed by two apps while its cluster is changed: slots are moved, a master is added, one is killed, and the
 * slots are spread anew. `REPLAYED_ACTIVITY` names a recorded history (the form of the demo's) instead of a made one.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Commit } from '../../demo/activity/commit.js';
import { openActivityFile } from '../../demo/activity/file.js';
import { type RedisCluster, startRedisCluster } from '../../dev/services/redis-cluster.js';
import { stores } from '../../examples/platform/stores.js';
import { Lanes } from '../../src/buffer/lane.js';
import type { ForebayEvent } from '../../src/events.js';
import { slotCount, slotOf } from '../../src/hash-slot.js';
import { partitionsKey, queuePrefix } from '../../src/keys.js';
import { ActivityReplay, counts, longestOutages, type ReplayEntry } from '../support/activity-replay.js';
import { loseMaster, mastersOfSlots, moveSlots, replicasOf } from '../support/cluster-changes.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { madeActivity } from '../support/made-activity.js';
import { patient } from '../support/patient.js';
import { endsOfReceipts } from '../support/replay-ends.js';
import { isOneOf, possibleStates, readRows, type Times } from '../support/replayed-rows.js';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js';

const perSecond = 400;
/** Besides those that hold something. */
const emptySlots = 80;
/** Only a lane that hangs is out for so long. */
const outageMaxMs = 30_000;

let cluster: RedisCluster;
let environment: Environment;
let workers: WorkerProcess[];
let replay: ActivityReplay;
/** Name → slot: the lanes', and those of the queues and of what is known of the lanes. */
let slots: ReadonlyMap<string, number>;

beforeEach(async () => {
  environment = await createEnvironment();
  cluster = await startRedisCluster({ hasReplicas: true });
  const config = { ...environment.config, redis: cluster.settings, queueRedis: cluster.settings };
  const lanes = new Lanes(stores, config.prefix).all;
  slots = new Map([
    ['queues', slotOf(queuePrefix(config.prefix))],
    ['layouts', slotOf(partitionsKey(config.prefix))],
    ...lanes.map(({ name, keys }) => [name, slotOf(keys.meta)] as const),
  ]);
  const place = { atClose: environment.atClose, env: environmentOfWorkers() };
  workers = await Promise.all([startWorkerProcess(place), startWorkerProcess(place)]);
  const apps = await Promise.all([1, 2].map(() => environment.connect(stores, { config })));
  replay = new ActivityReplay(apps, await history());
});

afterEach(async () => {
  replay.stop();
  await environment.close();
  await cluster.remove();
});

function environmentOfWorkers(): NodeJS.ProcessEnv {
  const { nodes, password } = cluster.settings;
  return {
    ...environment.env,
    REDIS_URL: undefined,
    REDIS_CLUSTER_NODES: nodes.map(({ host, port }) => `${host}:${port}`).join(','),
    REDIS_PASSWORD: password,
  };
}

async function history(): Promise<Iterable<Commit>> {
  const file = process.env.REPLAYED_ACTIVITY;
  if (file === undefined) return madeActivity(7);
  const commits: Commit[] = [];
  for await (const commit of (await openActivityFile(file)).commits()) commits.push(commit);
  return commits;
}

/** What it was, and when it began and ended; in ms since 1970. */
interface Step {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

async function step(name: string, work: () => Promise<unknown>): Promise<Step> {
  const from = Date.now();
  await work();
  return { name, from, to: Date.now() };
}

/** Of a master: every `nth` slot that holds something, and empty ones. */
async function slotsOf(master: number, nth: number): Promise<number[]> {
  const masters = await mastersOfSlots(cluster);
  const own = Array.from({ length: slotCount }, (_, slot) => slot).filter((slot) => masters[slot] === master);
  const held = new Set([...slots.values()].filter((slot) => masters[slot] === master));
  return [
    ...[...held].filter((_, i) => i % nth === 0),
    ...own.filter((slot) => !held.has(slot)).slice(0, emptySlots),
  ];
}

/** Names of the lanes that a master has. */
async function lanesOf(master: number): Promise<Set<string>> {
  const masters = await mastersOfSlots(cluster);
  return new Set([...slots].filter(([, slot]) => masters[slot] === master).map(([name]) => name));
}

async function addMaster(): Promise<void> {
  const added = await cluster.add();
  for (const master of new Set(await mastersOfSlots(cluster))) {
    await moveSlots(cluster, await slotsOf(master, 3), added);
  }
}

/**
 * Its replica gets nothing any more of what it accepts, as when their link is slow: some of that comes to the database, and the
 * last of it to no worker either. Returns what lets all go on.
 */
async function fallBehind(master: number, lanes: ReadonlySet<string>): Promise<() => void> {
  const [replica] = await replicasOf(cluster, master);
  const pids = [cluster.servers[replica as number]?.pid as number];
  process.kill(pids[0] as number, 'SIGSTOP');
  await cluster.admins[master]?.call('CLIENT', 'KILL', 'TYPE', 'replica');
  await batchOf(lanes);
  for (const { process: worker } of workers) pids.push(worker.pid as number);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await replay.accepted(perSecond / 2);
  return () => {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  };
}

/** Resolves once one was sealed from now on, and is in the database. A batch's number is its time, in µs. */
async function batchOf(lanes: ReadonlySet<string>): Promise<void> {
  const from = Date.now();
  const acked = () =>
    workers
      .flatMap(({ events }) => events)
      .flatMap((event) => (event.type === 'batch.acked' && lanes.has(event.lane) ? [event.number] : []));
  await expect.poll(() => acked().some((number) => Number(number) / 1_000 > from)).toBe(true);
}

interface Loss {
  /** Of the master that was killed. */
  readonly lanes: ReadonlySet<string>;
  readonly killedAt: number;
  readonly goneAt: number;
  readonly successor: number;
}

/** Of the master that has the queues too. */
async function killMaster(lags: boolean): Promise<Loss> {
  const place = (await mastersOfSlots(cluster))[slots.get('queues') as number] as number;
  const lanes = await lanesOf(place);
  const goOn = lags ? await fallBehind(place, lanes) : undefined;
  const killedAt = Date.now();
  const replaced = loseMaster(cluster, place);
  await expect.poll(() => cluster.servers[place]?.pid).toBe(0);
  const goneAt = Date.now();
  goOn?.();
  const successor = await replaced;
  await cluster.servers[place]?.restart();
  return { lanes, killedAt, goneAt, successor };
}

const allEntries = (): ReplayEntry[] => [...replay.rows.values()].flat();

type Regressed = Extract<ForebayEvent, { type: 'redis.regressed' }>;

function regressedLanes(): Map<string, number> {
  const events = workers.flatMap((worker) => worker.events);
  const regressed = events.filter((event): event is Regressed => event.type === 'redis.regressed');
  return new Map(regressed.map(({ lane, since }) => [lane, since === undefined ? 0 : Date.parse(since)]));
}

/** How often a write may be in the database, by what was told of it. */
function timesBy(ends: ReadonlyMap<ReplayEntry, string>, { goneAt }: Loss): (entry: ReplayEntry) => Times {
  const regressed = regressedLanes();
  return (entry) => {
    const since = regressed.get(entry.receipt?.lane ?? '');
    const acceptedAt = Number(entry.receipt?.version ?? 0) / 1_000;
    if (since !== undefined && since <= acceptedAt && acceptedAt <= goneAt) return { min: 0, max: 2 };
    return (ends.get(entry) ?? 'persisted') === 'persisted' ? { min: 1, max: 1 } : { min: 0, max: 1 };
  };
}

/** Refusals but those of calls that were surely not executed. */
function inDoubt() {
  return replay.failures.filter(({ code }) => !['REDIS_REFUSED', 'REDIS_UNAVAILABLE'].includes(code));
}

/** How long lanes were out, and what was refused, by what happened then. */
function report(steps: readonly Step[], ends: ReadonlyMap<ReplayEntry, string>): void {
  const entries = allEntries();
  const lines = steps.map(({ name, from, to }) => {
    const outages = longestOutages(
      entries.filter(({ answeredAt, triedAt }) => answeredAt >= from && triedAt <= to),
    ).map(({ ms }) => ms);
    const refused = replay.failures.filter(({ at }) => at >= from && at <= to).map(({ code }) => code);
    return `${name} (${to - from} ms): longest outages of lanes ${outages.join(', ')} ms; refused: ${counts(refused)}`;
  });
  const told = `told by redis.regressed: ${[...regressedLanes().keys()].join(', ') || 'no lane'}`;
  process.stderr.write(`${[`writes: ${counts(ends.values())}`, told, ...lines].join('\n')}\n`);
}

describe.each([
  { how: 'whose replica is in step', lags: false },
  { how: 'whose replica has fallen behind', lags: true },
])('when slots are moved, a master is added, and one is killed $how', ({ lags }) => {
  it('every row is equal or its loss is told, no lane hangs, and no write is in doubt that was surely not executed', async () => {
    replay.start(perSecond);
    await replay.accepted(perSecond * 2);
    const steps = [await step('slots are moved', async () => moveSlots(cluster, await slotsOf(0, 2), 1))];
    await replay.accepted(perSecond);
    steps.push(await step('a master is added', addMaster));
    await replay.accepted(perSecond);
    let loss = {} as Loss;
    steps.push(
      await step('a master is killed', async () => {
        loss = await killMaster(lags);
      }),
    );
    await replay.accepted(perSecond);
    steps.push(
      await step('slots are spread anew', async () =>
        moveSlots(cluster, await slotsOf(loss.successor, 2), 0),
      ),
    );
    await replay.accepted(perSecond);
    replay.stop();
    await replay.answered();
    const [longest] = longestOutages(allEntries());
    const ends = await endsOfReceipts(replay);
    report(steps, ends);
    expectKnownFailures(loss, lags);
    expectNamedLosses(ends, loss, lags);
    const found = await readRows(environment.prisma);
    const timesOf = timesBy(ends, loss);
    const wrong = [...replay.rows].filter(
      ([row, entries]) => !isOneOf(possibleStates(entries, timesOf), found.get(row)),
    );
    expect(wrong.map(([row]) => ({ row, lane: replay.laneOf(row), found: found.get(row) }))).toEqual([]);
    expect([...found.keys()].filter((row) => !replay.rows.has(row))).toEqual([]);
    expect(longest?.ms).toBeLessThan(patient(outageMaxMs));
    for (const { process: worker } of workers) expect(worker.exitCode ?? worker.signalCode).toBeNull();
  });
});

/** In doubt is at most the call that was under way to the killed master, of each lane and app. */
function expectKnownFailures({ lanes, killedAt }: Loss, lags: boolean): void {
  const told = inDoubt();
  const codes = new Set(told.map(({ code }) => code));
  expect(
    [...codes].filter((code) => code !== 'OUTCOME_UNKNOWN' && !(lags && code === 'ROW_MISSING')),
  ).toEqual([]);
  expect(told.filter(({ row, at }) => at < killedAt || !lanes.has(replay.laneOf(row) ?? ''))).toEqual([]);
  expect([...replay.callsInDoubt].filter(([, count]) => count > 1)).toEqual([]);
}

/** Only the killed master's lanes have lost anything, and only what it accepted. */
function expectNamedLosses(
  ends: ReadonlyMap<ReplayEntry, string>,
  { lanes, goneAt }: Loss,
  lags: boolean,
): void {
  const lost = [...ends].filter(([, end]) => end === 'WRITE_LOST').map(([{ receipt }]) => receipt);
  expect(lost.filter((receipt) => !lanes.has(receipt?.lane ?? ''))).toEqual([]);
  expect(lost.filter((receipt) => Number(receipt?.version) / 1_000 > goneAt)).toEqual([]);
  expect([...regressedLanes().keys()].filter((lane) => !lanes.has(lane))).toEqual([]);
  if (lags) expect([lost.length, regressedLanes().size]).not.toContain(0);
}
