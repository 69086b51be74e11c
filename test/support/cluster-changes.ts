/** What happens to a cluster while it works: slots are moved, a master is lost and replaced. */
import type { Redis } from 'ioredis';
import pLimit from 'p-limit';
import { vi } from 'vitest';
import type { RedisCluster } from '../../dev/services/redis-cluster.js';

const slotsAtOnce = 8;
const keysAtOnce = 10;
const migrateTimeoutMs = 5_000;
const limits = { timeout: 120_000, interval: 50 };

type SlotRange = [first: number, last: number, master: [host: string, port: number, id: string]];

/** Slot → the place of its master in the cluster's `servers`, as one that lives says. */
export async function mastersOfSlots(cluster: RedisCluster): Promise<number[]> {
  const [first] = livingAdmins(cluster);
  const ranges = (await first?.call('CLUSTER', 'SLOTS')) as SlotRange[];
  const masters: number[] = [];
  for (const [from, to, [, port]] of ranges) {
    const place = cluster.servers.findIndex((server) => server.port === port);
    for (let slot = from; slot <= to; slot++) masters[slot] = place;
  }
  return masters;
}

/** As `redis-cli --cluster reshard` does, some keys at a time; but a few slots at once. */
export async function moveSlots(cluster: RedisCluster, slots: readonly number[], to: number): Promise<void> {
  const masters = await mastersOfSlots(cluster);
  const told = new Set([...masters, to]);
  const ids = new Map(
    await Promise.all([...told].map(async (place) => [place, await idOf(cluster, place)] as const)),
  );
  const setSlot = (place: number, slot: number, state: string, id: number): Promise<unknown> =>
    adminOf(cluster, place).call('CLUSTER', 'SETSLOT', slot, state, ids.get(id) as string);
  const limit = pLimit(slotsAtOnce);
  await limit.map(slots, async (slot) => {
    const from = masters[slot] as number;
    if (from === to) return;
    await setSlot(to, slot, 'IMPORTING', from);
    await setSlot(from, slot, 'MIGRATING', to);
    await moveKeys(cluster, slot, from, to);
    await setSlot(to, slot, 'NODE', to);
    await Promise.all([...told].map((place) => setSlot(place, slot, 'NODE', to)));
  });
}

async function moveKeys(cluster: RedisCluster, slot: number, from: number, to: number): Promise<void> {
  const source = adminOf(cluster, from);
  const { port } = cluster.servers[to] as RedisCluster['servers'][number];
  const auth = ['AUTH', cluster.settings.password as string];
  const left = async () => (await source.cluster('GETKEYSINSLOT', slot, keysAtOnce)) as string[];
  for (let keys = await left(); keys.length > 0; keys = await left()) {
    await source.call('MIGRATE', '127.0.0.1', port, '', 0, migrateTimeoutMs, ...auth, 'KEYS', ...keys);
  }
}

/** Kills a master. Resolves with the place of the replica that has taken over, once all that live serve all slots. */
export async function loseMaster(cluster: RedisCluster, place: number): Promise<number> {
  const slot = (await mastersOfSlots(cluster)).indexOf(place);
  await cluster.servers[place]?.kill();
  return vi.waitFor(async () => {
    const successor = (await mastersOfSlots(cluster))[slot] as number;
    if (successor === place) throw new Error('not replaced yet');
    for (const admin of livingAdmins(cluster)) {
      const info = String(await admin.call('CLUSTER', 'INFO'));
      if (!info.includes('cluster_state:ok\r')) throw new Error('not all slots are served yet');
    }
    return successor;
  }, limits);
}

/** The places of a master's replicas. */
export async function replicasOf(cluster: RedisCluster, master: number): Promise<number[]> {
  const lines = (await adminOf(cluster, master).call(
    'CLUSTER',
    'REPLICAS',
    await idOf(cluster, master),
  )) as string[];
  return lines.map((line) => cluster.servers.findIndex(({ port }) => line.includes(`:${port}@`)));
}

function livingAdmins({ servers, admins }: RedisCluster): Redis[] {
  return admins.filter((_, i) => (servers[i]?.pid ?? 0) > 0);
}

function adminOf({ admins }: RedisCluster, place: number): Redis {
  return admins[place] as Redis;
}

async function idOf(cluster: RedisCluster, place: number): Promise<string> {
  return String(await adminOf(cluster, place).call('CLUSTER', 'MYID'));
}
