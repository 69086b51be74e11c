import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { Lanes } from '../../src/buffer/lane.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { fieldOf } from '../../src/keys.js';
import { createEnvironment, type Environment } from '../support/environment.js';

type App = Forebay<(typeof stores)['definitions']>;

let environment: Environment;
let app: App;
const projects = stores.byName.get('projects');

beforeEach(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
});

afterEach(() => environment.close());

describe('a write that was accepted and then evicted from the cache is read back', () => {
  it('while it is dirty, while its batch is sealed, and after its flush', async () => {
    await app.stores.projects.put({ id: 'p', name: 'kept' });
    await evict('p');
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'kept' });
    await seal('p');
    await evict('p');
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'kept' });
    expect(await app.stores.projects.getMany(['x', 'p'])).toMatchObject([null, { name: 'kept' }]);
    await environment.startWorker(stores);
    await app.flush();
    await evict('p');
    expect(await app.stores.projects.get('p')).toMatchObject({ name: 'kept' });
  });

  it('also when it is a delete', async () => {
    await environment.prisma.project.create({ data: { id: 'p', name: 'to be deleted' } });
    await app.stores.projects.delete('p');
    await evict('p');
    expect(await app.stores.projects.get('p')).toBeNull();
    await seal('p');
    await evict('p');
    expect(await app.stores.projects.get('p')).toBeNull();
    await environment.startWorker(stores);
    await app.flush();
    await evict('p');
    expect(await app.stores.projects.get('p')).toBeNull();
  });

  it('also when it is a delta', async () => {
    await environment.prisma.project.create({ data: { id: 'p', name: 'counted', touches: 5 } });
    await app.stores.projectTouches.add('p', 2);
    expect(await app.stores.projectTouches.get('p')).toBe(7);
    await seal('p');
    await app.stores.projectTouches.add('p', 10);
    await evict('p');
    expect(await app.stores.projectTouches.get('p')).toBe(17);
    await environment.startWorker(stores);
    await app.flush();
    await evict('p');
    expect(await app.stores.projectTouches.get('p')).toBe(17);
  });
});

function laneOf(id: string) {
  if (projects?.kind !== 'record') throw new Error('projects is a record store');
  return new Lanes(stores, environment.config.prefix).of(projects.group, id);
}

async function evict(id: string): Promise<void> {
  const { entryPrefix } = laneOf(id).keys;
  await environment.redis.del(
    entryPrefix + fieldOf('projects', id),
    entryPrefix + fieldOf('projectTouches', id),
  );
}

async function seal(id: string): Promise<void> {
  const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
  const options = { recordsMax: 1_000, delayMs: 0, floor: 0n };
  await expect.poll(async () => (await buffer.seal(laneOf(id), options)).kind).toBe('batch');
}
