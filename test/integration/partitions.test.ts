import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import { lanePlaces } from '../../src/buffer/lane.js';
import type { LaneTags } from '../../src/buffer/lane-tags.js';
import { readLanes, readLayouts } from '../../src/buffer/partitions.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { isForebayError } from '../../src/errors.js';
import { partitionsKey } from '../../src/keys.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const withPartitions = (partitions: number) =>
  defineStores({ projects: record({ model: Project, partitions, delayMs: 1 }) });
const ids = Array.from({ length: 40 }, (_, i) => `p${i}`);

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

describe('when the number of partitions has changed', () => {
  it.each([
    [4, 8, 'spread'],
    [8, 4, 'spread'],
    [1, 3, 'spread'],
    [4, 8, 'first'],
    [8, 4, 'first'],
  ] as const)(
    'from %i to %i, and its tags were the %s ones, an app that writes by the old one is refused; every accepted write is in the database, and none is left',
    async (before, after, tags) => {
      await written[tags](before);
      const old = await environment.connect(withPartitions(before));
      await environment.startWorker(withPartitions(before));
      await Promise.all(ids.map((id) => old.stores.projects.put({ id, name: 'old' })));
      await old.flush();
      const app = await environment.connect(withPartitions(after));
      await environment.startWorker(withPartitions(after));
      const accepted = new Map(ids.map((id) => [id, 'old']));
      const refusals = new Set<string>();
      for (const [i, id] of ids.entries()) {
        for (const [client, name] of [
          [old, `by the old ${i}`],
          [app, `by the new ${i}`],
        ] as const) {
          try {
            await client.stores.projects.put({ id, name });
            accepted.set(id, name);
          } catch (error) {
            refusals.add(isForebayError(error) ? error.code : String(error));
          }
        }
      }
      await app.flush();
      expect([...refusals]).toEqual(['PARTITIONS_CHANGED']);
      const rows = await environment.prisma.project.findMany({ select: { id: true, name: true } });
      expect(new Map(rows.map(({ id, name }) => [id, name]))).toEqual(accepted);
      expect(await pending(Math.max(before, after))).toBe(0);
      const layouts = await readLayouts(environment.redis, environment.config.prefix);
      expect(layouts.get('projects')).toEqual({ partitions: after, tags: 'spread' });
      // Its numbers go on, under whatever tag.
      expect(environment.events.filter(({ type }) => type === 'redis.regressed')).toEqual([]);
    },
  );

  it('and changes back, nothing that was cached by it before is read', async () => {
    await environment.startWorker(withPartitions(8));
    const names = async (partitions: number, name?: string) => {
      const app = await environment.connect(withPartitions(partitions));
      if (name !== undefined) await Promise.all(ids.map((id) => app.stores.projects.put({ id, name })));
      const rows = await app.stores.projects.getMany(ids);
      await app.flush();
      return new Set(rows.map((row) => row?.name));
    };
    await names(8, 'first');
    await environment.startWorker(withPartitions(4));
    await names(4, 'second');
    expect(await names(8)).toEqual(new Set(['second']));
  });

  it('it is all lanes or none: with a write in one of them, all go on by the old number', async () => {
    const old = await environment.connect(withPartitions(4));
    await old.stores.projects.put({ id: 'p', name: 'waits' });
    await expect(environment.connect(withPartitions(8))).rejects.toMatchObject({
      code: 'PARTITIONS_CHANGED',
    });
    await Promise.all(ids.map((id) => old.stores.projects.put({ id, name: 'old' })));
  });
});

describe('a store that was written before its lanes were spread', () => {
  it('has them where they were, for whoever looks: writes, workers, reads', async () => {
    await writtenUnderFirstTags(4);
    const { prefix } = environment.config;
    const app = await environment.connect(withPartitions(4));
    await app.stores.projects.put({ id: 'p', name: 'waits' });
    expect(await pending(4, 'first')).toBe(1);
    await environment.startWorker(withPartitions(4));
    await app.flush();
    expect(await pending(4, 'first')).toBe(0);
    expect(await environment.prisma.project.count()).toBe(1);
    const lanes = await readLanes(environment.redis, withPartitions(4), prefix);
    expect(lanes.all.map(({ keys }) => keys.meta)).toEqual(
      [0, 1, 2, 3].map((partition) => `{${prefix}:projects/${partition}}:meta`),
    );
  });

  it('keeps them while a write waits there, though its number is changed', async () => {
    await writtenUnderFirstTags(4);
    const old = await environment.connect(withPartitions(4));
    await old.stores.projects.put({ id: 'p', name: 'waits' });
    await expect(environment.connect(withPartitions(8))).rejects.toMatchObject({
      code: 'PARTITIONS_CHANGED',
    });
    await Promise.all(ids.map((id) => old.stores.projects.put({ id, name: 'old' })));
    await environment.startWorker(withPartitions(4));
    await old.flush();
    expect(await environment.prisma.project.count()).toBe(ids.length + 1);
  });
});

const written: Record<LaneTags, (partitions: number) => Promise<void>> = {
  first: writtenUnderFirstTags,
  spread: async () => undefined,
};

/** As stores stand in Redis whose lanes have no marks in their tags. */
async function writtenUnderFirstTags(partitions: number): Promise<void> {
  await environment.redis.hset(partitionsKey(environment.config.prefix), 'projects', partitions);
}

async function pending(partitions: number, ...tags: LaneTags[]): Promise<number> {
  const buffer = new WriteBuffer(environment.redis, environment.config.prefix);
  const kinds: readonly LaneTags[] = tags.length > 0 ? tags : ['first', 'spread'];
  const lanes = kinds.flatMap((kind) =>
    lanePlaces(environment.config.prefix, 'projects', { partitions, tags: kind }),
  );
  const states = await Promise.all(lanes.map((lane) => buffer.inspect(lane)));
  return states.reduce((total, { dirty, sealed }) => total + dirty + sealed, 0);
}
