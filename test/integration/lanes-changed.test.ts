/** Another number of lanes while apps write and read, and workers flush: what each of them sees, and what is in the database then. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Project } from '../../examples/platform/generated/models.js';
import type { Forebay } from '../../src/app/connect.js';
import { parseLayout } from '../../src/buffer/layout.js';
import { Layouts, readLanes, readLayouts } from '../../src/buffer/layouts.js';
import { WriteBuffer } from '../../src/buffer/write-buffer.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { isForebayError } from '../../src/errors.js';
import { partitionsKey } from '../../src/keys.js';
import { changeLanes, type LaneChangeOutcome } from '../../src/operations/lane-change.js';
import { WakeUpCalls } from '../../src/queues/wake-ups.js';
import { command } from '../support/command-line.js';
import { createEnvironment, type Environment, removeKeys } from '../support/environment.js';

const storesOf = (partitions: number) => {
  const projects = record({ model: Project, counters: ['touches'], partitions, delayMs: 20 });
  return defineStores({ projects, touches: counter({ of: projects, field: 'touches' }) });
};
const stores = storesOf(8);
type App = Forebay<typeof stores.definitions>;
const ids = Array.from({ length: 40 }, (_, i) => `p${i}`);

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

const lanes = (...args: (string | number)[]) =>
  command(['lanes', ...args.map(String)], { env: environment.env });

/** Writes and reads its own rows until it is told to stop; a read must give what was accepted last. */
class Writer {
  readonly names = new Map<string, string>();
  readonly touches = new Map<string, number>();
  readonly refusals: string[] = [];
  isStopped = false;
  longestMs = 0;
  readonly done: Promise<void>;

  constructor(
    readonly app: App,
    readonly own: readonly string[],
  ) {
    this.done = Promise.all(own.map((id) => this.#write(id))).then(() => undefined);
  }

  async #write(id: string): Promise<void> {
    const { projects, touches } = this.app.stores;
    for (let i = 0; !this.isStopped; i++) {
      const startedAt = Date.now();
      await this.#try(async () => {
        await projects.put({ id, name: `${i}` });
        this.names.set(id, `${i}`);
        await touches.add(id, 1);
        this.touches.set(id, (this.touches.get(id) ?? 0) + 1);
        expect((await projects.get(id))?.name).toBe(`${i}`);
        expect(await touches.get(id)).toBe(this.touches.get(id));
      });
      this.longestMs = Math.max(this.longestMs, Date.now() - startedAt);
      await wait(2);
    }
  }

  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!isForebayError(error)) throw error;
      this.refusals.push(error.code);
    }
  }
}

/** Another app, which never writes: it must not read what is older than what was accepted before it asked. */
async function readUntilStopped(app: App, writers: readonly Writer[]): Promise<number> {
  let reads = 0;
  while (writers.some(({ isStopped }) => !isStopped)) {
    for (const { names, touches } of writers) {
      const own = [...names.keys()];
      const before = own.map((id) => [Number(names.get(id)), touches.get(id) ?? 0] as const);
      const [found, counts] = await Promise.all([
        app.stores.projects.getMany(own),
        app.stores.touches.getMany(own),
      ]);
      for (const [i, [name, count]] of before.entries()) {
        expect(Number(found[i]?.name)).toBeGreaterThanOrEqual(name);
        expect(counts[i]).toBeGreaterThanOrEqual(count);
      }
      reads += own.length;
    }
    await wait(1);
  }
  return reads;
}

async function rows(): Promise<Map<string, [name: string, touches: number]>> {
  const all = await environment.prisma.project.findMany({ select: { id: true, name: true, touches: true } });
  return new Map(all.map(({ id, name, touches }) => [id, [name, touches]]));
}

describe('another number of lanes', () => {
  it('while apps write and read, nothing is lost, counted twice or read older than it was accepted, and nobody is refused', async () => {
    const apps = await Promise.all([1, 2, 3].map(() => environment.connect(stores)));
    await environment.startWorker(stores);
    await environment.startWorker(stores);
    const writers = apps.map(
      (app, nth) =>
        new Writer(
          app,
          ids.filter((_, i) => i % apps.length === nth),
        ),
    );
    const reading = readUntilStopped(await environment.connect(stores), writers);
    for (const number of [3, 16]) {
      await wait(150);
      expect(await lanes('projects', number, '--timeout', '60s')).toMatchObject({ code: 0, err: '' });
      const { projects } = Object.fromEntries(
        await readLayouts(environment.redis, environment.config.prefix),
      );
      expect(projects).toMatchObject({ partitions: number });
    }
    await wait(150);
    for (const writer of writers) writer.isStopped = true;
    await Promise.all(writers.map(({ done }) => done));
    expect(await reading).toBeGreaterThan(200);
    await apps[0]?.flush();
    const accepted = writers.flatMap(({ names, touches }) =>
      [...names].map(([id, name]) => [id, [name, touches.get(id) ?? 0]] as const),
    );
    expect(await rows()).toEqual(new Map(accepted));
    expect(writers.flatMap(({ refusals }) => refusals)).toEqual([]);
    expect(await apps[1]?.backlog()).toMatchObject({ dirty: 0, sealed: 0 });
  });

  it.each(['before', 'after'] as const)(
    'whose command dies %s any of its steps: writes go on once its time is over, and the command can be given again',
    async (moment) => {
      const [from, to] = [3, 2];
      const few = storesOf(from);
      const app = await environment.connect(few);
      await environment.startWorker(few);
      await app.stores.projects.put({ id: 'p0', name: 'first' });
      let deaths = 0;
      for (let next: number = to; ; next = next === to ? from : to) {
        const step = deaths;
        await Promise.all(
          ids.slice(0, 8).map((id) => app.stores.projects.put({ id, name: `before ${step}` })),
        );
        const dying = new DyingCommand(step, moment);
        const outcome = await dying.run(next);
        if (dying.isDead) deaths += 1;
        // From whatever is left, by an app that knows of nothing.
        const writes = ids.slice(0, 8).map((id) => app.stores.projects.put({ id, name: `after ${step}` }));
        const receipts = await Promise.all(writes);
        await Promise.all(receipts.map((receipt) => receipt.persisted()));
        expect(new Set([...(await rows()).values()].map(([name]) => name))).toEqual(
          new Set([`after ${step}`]),
        );
        expect(await lanes('projects', next)).toMatchObject({ code: 0 });
        if (outcome?.kind === 'changed' && !dying.isDead) break;
      }
      // The decision in two steps; three lanes closed and emptied, two or three opened.
      expect(deaths).toBeGreaterThanOrEqual(2 + 3 + 3 + 2);
    },
  );

  it('by two commands at once comes by one after the other, and each says what came of it', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    const writer = new Writer(app, ids);
    const said = await Promise.all([lanes('projects', 3), lanes('projects', 5), lanes('projects', 4)]);
    writer.isStopped = true;
    await writer.done;
    await app.flush();
    const { partitions } = parseLayout((await environment.redis.hget(key(), 'projects')) as string);
    expect(said.filter(({ code }) => code === 0).map(({ out }) => out)).toContainEqual(
      expect.stringContaining(`has ${partitions} lanes`),
    );
    for (const { code, err } of said) if (code === 1) expect(err).toContain('Give the command again');
    expect([...(await rows()).entries()].map(([id, [name]]) => [id, name]).sort()).toEqual(
      [...writer.names].sort(),
    );
  });
});

describe('an app that has slept through a change', () => {
  it('reads nothing that it had cached, writes where the others look, and waits for what they have written', async () => {
    const [asleep, awake] = [await environment.connect(stores), await environment.connect(stores)];
    await environment.startWorker(stores);
    await put(asleep, 'before');
    expect(await namesIn(asleep)).toEqual(new Set(['before']));
    await lanes('projects', 3);
    const receipts = await put(awake, 'by the other');
    expect(await namesIn(asleep)).toEqual(new Set(['by the other']));
    await asleep.flush();
    expect(new Set([...(await rows()).values()].map(([name]) => name))).toEqual(new Set(['by the other']));
    await Promise.all(receipts.map((receipt) => receipt.persisted()));
    await put(asleep, 'again');
    expect(await namesIn(awake)).toEqual(new Set(['again']));
    await asleep.flush();
    expect(await asleep.backlog()).toEqual(await awake.backlog());
  });

  it('and through a change back, too', async () => {
    const [asleep, awake] = [await environment.connect(stores), await environment.connect(stores)];
    await environment.startWorker(stores);
    const receipts = await put(asleep, 'before');
    expect(await namesIn(asleep)).toEqual(new Set(['before']));
    await lanes('projects', 3);
    await put(awake, 'between');
    await lanes('projects', 8);
    expect(await namesIn(asleep)).toEqual(new Set(['between']));
    await Promise.all(receipts.map((receipt) => receipt.persisted()));
    await put(asleep, 'after');
    expect(await namesIn(awake)).toEqual(new Set(['after']));
  });

  it('evicts what the others have cached', async () => {
    const [asleep, awake] = [await environment.connect(stores), await environment.connect(stores)];
    await environment.startWorker(stores);
    await put(awake, 'before');
    await lanes('projects', 16);
    await awake.flush();
    await namesIn(awake);
    await environment.prisma.project.updateMany({ data: { name: 'by hand' } });
    await Promise.all(ids.map((id) => asleep.stores.projects.evict(id)));
    expect(await namesIn(awake)).toEqual(new Set(['by hand']));
  });
});

describe("a store's number of lanes", () => {
  it("is what Redis says: a definition's is the first one", async () => {
    const app = await environment.connect(storesOf(8));
    await environment.startWorker(storesOf(8));
    await put(app, 'by eight');
    const other = await environment.connect(storesOf(4));
    const told = environment.events.filter(({ type }) => type === 'server.warning');
    expect(told).toEqual([
      {
        type: 'server.warning',
        what: expect.stringMatching(/"projects" is defined with 4 partitions and has 8/),
        advice: expect.stringContaining('forebay lanes projects 4'),
      },
    ]);
    await put(other, 'by four');
    expect(await namesIn(app)).toEqual(new Set(['by four']));
    expect(JSON.parse((await lanes('projects', '--json')).out)[0]).toMatchObject({ partitions: 8 });
  });

  it('is that of its definition again once Redis has lost it, for apps that run and those that come', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await put(app, 'before');
    await lanes('projects', 3);
    await put(app, 'by three');
    await app.flush();
    await removeKeys(environment.redis, `{${environment.config.prefix}`);
    const come = await environment.connect(stores);
    await put(app, 'by the one');
    await put(come, 'by the other');
    expect(await namesIn(app)).toEqual(new Set(['by the other']));
    expect(JSON.parse((await lanes('projects', '--json')).out)[0].lanes).toHaveLength(8);
  });

  it('stays while nobody flushes, and its writes go on at once', async () => {
    const app = await environment.connect(stores);
    await put(app, 'waits');
    const said = await lanes('projects', 3, '--timeout', '1s');
    expect(said).toMatchObject({ code: 1, err: expect.stringContaining('Do workers run') });
    await put(app, 'waits on');
    await environment.startWorker(stores);
    await app.flush();
    expect(JSON.parse((await lanes('projects', '--json')).out)[0]).toMatchObject({ partitions: 8 });
  });

  it('stays while it is paused, or has dead letters: what is to be done first is said', async () => {
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await app.stores.touches.add('nobody', 1);
    await app.flush();
    const said = await lanes('projects', 3);
    expect(said).toMatchObject({ code: 1, err: expect.stringContaining('forebay dead-letters projects') });
    await app.deadLetters.discardAll();
    await command(['pause', 'projects'], { env: environment.env });
    expect((await lanes('projects', 3)).err).toContain('forebay resume projects');
    await command(['resume', 'projects'], { env: environment.env });
    expect(await lanes('projects', 3)).toMatchObject({ code: 0 });
  });
});

describe('a store that was written before its lanes were spread', () => {
  it('has them where they were, for whoever looks, also by another number', async () => {
    await environment.redis.hset(key(), 'projects', 8);
    const app = await environment.connect(stores);
    const other = await environment.connect(stores);
    await environment.startWorker(stores);
    await put(app, 'by eight');
    await lanes('projects', 3);
    await put(other, 'by three');
    await app.flush();
    expect(new Set([...(await rows()).values()].map(([name]) => name))).toEqual(new Set(['by three']));
    const { prefix } = environment.config;
    const read = await readLanes(environment.redis, stores, prefix);
    expect(read.all.map(({ keys }) => keys.meta)).toEqual(
      [0, 1, 2].map((partition) => `{${prefix}:projects/${partition}}:meta`),
    );
  });
});

const put = (app: App, name: string) => Promise.all(ids.map((id) => app.stores.projects.put({ id, name })));

async function namesIn(app: App): Promise<Set<string | undefined>> {
  return new Set((await app.stores.projects.getMany(ids)).map((row) => row?.name));
}

const key = () => partitionsKey(environment.config.prefix);

/** A command that does nothing any more from some step on. */
class DyingCommand {
  isDead = false;
  #left: number;

  constructor(
    steps: number,
    readonly moment: 'before' | 'after',
  ) {
    this.#left = steps;
  }

  async run(to: number): Promise<LaneChangeOutcome | undefined> {
    const { redis, config } = environment;
    const buffer = new WriteBuffer(redis, config.prefix);
    const layouts = new Layouts(buffer);
    try {
      return await changeLanes('projects', to, {
        redis,
        prefix: config.prefix,
        buffer: {
          inspect: (...args) => buffer.inspect(...args),
          hurry: (lane) => buffer.hurry(lane),
          fence: (...args) => this.#step(() => buffer.fence(...args)),
        },
        layouts: {
          read: (store) => layouts.read(store),
          replace: (...args) => this.#step(() => layouts.replace(...args)),
          undo: (...args) => this.#step(() => layouts.undo(...args)),
        },
        queue: new WakeUpCalls(redis, config.prefix),
        timeoutMs: 400,
        signal: new AbortController().signal,
        isPaused: false,
        onLeft: () => undefined,
      });
    } catch (error) {
      if (error instanceof Dead) return undefined;
      throw error;
    }
  }

  async #step<T>(act: () => Promise<T>): Promise<T> {
    if (this.isDead) throw new Dead();
    this.#left -= 1;
    this.isDead = this.#left < 0;
    if (!this.isDead) return act();
    if (this.moment === 'after') await act();
    throw new Dead();
  }
}

class Dead extends Error {}
