import { afterEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import type { Receipt } from '../../src/client/receipts/receipt.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { isForebayError } from '../../src/errors.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { type LosingRedis, losses, startLosingRedis } from '../support/redis-losses.js';

/** [FB-GENERATION] [FB-COMPARED] What is not flushed stays dirty. */
const projects = record({ model: Project, counters: ['touches'], partitions: 4, minDelayMs: 60_000 });
const stores = defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
type App = Forebay<(typeof stores)['definitions']>;

const ids = Array.from({ length: 16 }, (_, i) => `p${i}`);

let redis: LosingRedis;
let environment: Environment;
let app: App;
let other: App;

async function start(name: string): Promise<void> {
  redis = await startLosingRedis((losses[name] as (typeof losses)[string]).loss);
  environment = await createEnvironment();
  app = await environment.connect(stores, { config: ownConfig() });
  other = await environment.connect(stores, { config: ownConfig() });
  await environment.startWorker(stores, {}, undefined, ownConfig());
}

afterEach(async () => {
  await environment.close();
  await redis.remove();
});

function ownConfig(): Environment['config'] {
  return { ...environment.config, redis: redis.settings, queueRedis: redis.settings };
}

const put = (by: App, name: string): Promise<Receipt[]> =>
  Promise.all(ids.map((id) => by.stores.projects.put({ id, name })));

/** How each receipt ends. */
async function endsOf(receipts: readonly Receipt[]): Promise<string[]> {
  const ends = await Promise.allSettled(receipts.map((receipt) => receipt.persisted({ timeoutMs: 20_000 })));
  return ends.map((end) => {
    if (end.status === 'fulfilled') return 'persisted';
    return isForebayError(end.reason) ? end.reason.code : String(end.reason);
  });
}

const all = (end: string): string[] => ids.map(() => end);

/** What a client asks of a Redis that is coming back may be refused. */
async function untilAccepted<T>(write: () => Promise<T>): Promise<T> {
  let result: T | undefined;
  await expect
    .poll(
      async () => {
        result = await write();
        return true;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  return result as T;
}

describe.each(Object.entries(losses))('when Redis goes back in time as %s', (name, { keeps }) => {
  it('the receipt of a lost write says so, whatever was written and flushed since, by whomever', async () => {
    await start(name);
    const flushed = await put(app, 'flushed');
    await app.flush();
    const dirty = await Promise.all(ids.map((id) => app.stores.touches.add(id, 1)));
    await redis.mark();
    const lost = await put(app, 'lost');
    const lostDeltas = await Promise.all(ids.map((id) => app.stores.touches.add(id, 10)));
    await redis.goBack();
    // Another app may not know of what was lost; where the server tells nothing either, the one that does writes first.
    const first = name === 'a backup is restored while it runs' ? app : other;
    const later = await untilAccepted(() => put(first, 'later'));
    await first.flush();
    expect(await endsOf(lost)).toEqual(all('WRITE_LOST'));
    expect(await endsOf(lostDeltas)).toEqual(all('WRITE_LOST'));
    expect(await endsOf(later)).toEqual(all('persisted'));
    expect(await endsOf(flushed)).toEqual(all('persisted'));
    expect(await endsOf(dirty)).toEqual(all(keeps ? 'persisted' : 'WRITE_LOST'));
    const rows = await environment.prisma.project.findMany({ select: { name: true, touches: true } });
    expect(rows).toEqual(ids.map(() => ({ name: 'later', touches: keeps ? 1 : 0 })));
  });

  it('the receipt of a write that was persisted before says that, though Redis knows nothing of it', async () => {
    await start(name);
    await redis.mark();
    const persisted = await put(app, 'persisted');
    await other.flush();
    await redis.goBack();
    await untilAccepted(() => put(other, 'later'));
    await other.flush();
    expect(await endsOf(persisted)).toEqual(all('persisted'));
  });

  it('nothing that was cached before is read, and each lane is told of before a batch of it is sealed', async () => {
    await start(name);
    await put(app, 'old');
    await Promise.all(ids.map((id) => app.stores.touches.add(id, 8)));
    await app.flush();
    await app.stores.touches.getMany(ids);
    await redis.mark();
    await put(app, 'new');
    await Promise.all(ids.map((id) => app.stores.touches.add(id, 5)));
    await app.flush();
    const sealedBefore = environment.events.length;
    await redis.goBack();
    await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const regressed = () => environment.events.filter(({ type }) => type === 'redis.regressed');
    await expect.poll(() => regressed().length, { timeout: 20_000 }).toBe(4);
    const names = await untilAccepted(async () =>
      (await app.stores.projects.getMany(ids)).map((row) => row?.name),
    );
    expect(names).toEqual(all('new'));
    expect(await app.stores.touches.getMany(ids)).toEqual(ids.map(() => 13));
    await app.stores.projects.update('p0', (row) => ({ id: 'p0', name: `${row?.name}er` }));
    await app.flush();
    expect(await environment.prisma.project.findUnique({ where: { id: 'p0' } })).toMatchObject({
      name: 'newer',
      touches: 13,
    });
    const after = environment.events.slice(sealedBefore);
    for (const lane of ['projects/0', 'projects/1', 'projects/2', 'projects/3']) {
      const ofLane = after.filter((event) => 'lane' in event && event.lane === lane).map(({ type }) => type);
      expect(ofLane.filter((type) => type === 'redis.regressed')).toHaveLength(1);
      expect(`${ofLane}`).not.toMatch(/batch\.sealed.*redis\.regressed/);
    }
  });
});
