/** Fastify's plugin and Hono's middleware: a request reads each thing once, and the app is closed with the server. */
import { serve } from '@hono/node-server';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forebayFastify, type RequestScope } from '../../../src/fastify.js';
import { closeWith, forebayHono, requestScope } from '../../../src/hono.js';
import { createTestForebay, type TestForebay } from '../../../src/testing/test-forebay.js';
import { Keys, conformanceStores as stores } from '../../support/conformance/stores.js';

type Definitions = (typeof stores)['definitions'];

declare module 'fastify' {
  interface FastifyRequest {
    readonly forebay: RequestScope<Definitions>;
  }
}

let app: TestForebay<Definitions>;

beforeEach(async () => {
  app = await createTestForebay(stores);
  await app.stores.projects.putMany(['a', 'b'].map((id) => ({ id, name: id })));
  await app.flush();
  app.cache.resetStats();
});

afterEach(() => app.close());

/** So often the cache was asked for rows. */
const rowReads = (): number => {
  const { hits, misses } = app.cache.getStats().byNamespace.projects ?? { hits: 0, misses: 0 };
  return hits + misses;
};

describe('a request', () => {
  it('reads each row, counter and value once, however it asks for them', async () => {
    const { stores, read } = requestScope(app);
    const rows = await Promise.all([stores.projects.get('a'), stores.projects.get('a')]);
    const more = await stores.projects.getMany(['b', 'a', 'none']);
    expect([...rows, ...more].map((row) => row?.id ?? null)).toEqual(['a', 'a', 'b', 'a', null]);
    expect(rowReads()).toBe(3);
    let loads = 0;
    const load = async () => ++loads;
    const seen = [
      await read('a', load, { forceRefresh: true }),
      await read('a', load, { forceRefresh: true }),
    ];
    expect(seen).toEqual([1, 1]);
    expect(await Promise.all([stores.squares.get('3'), stores.squares.get('3')])).toEqual([9, 9]);
    expect(app.cache.getStats().byNamespace.conformance).toMatchObject({ hits: 0, misses: 1 });
  });

  it('sees what it has read, and its own writes, and after those what others wrote', async () => {
    const { stores } = requestScope(app);
    await stores.projects.get('a');
    await app.stores.projects.patch('a', { name: 'theirs' });
    expect(await stores.projects.get('a')).toMatchObject({ name: 'a' });
    await stores.projects.patch('b', { name: 'ours' });
    expect(await stores.projects.getMany(['a', 'b'])).toMatchObject([{ name: 'theirs' }, { name: 'ours' }]);
    await stores.touches.add('a', 2);
    expect(await stores.touches.get('a')).toBe(2);
    await stores.projects.delete('a');
    expect(await stores.touches.get('a')).toBeNull();
  });

  it('sees what it writes to cached values', async () => {
    const { read, write } = requestScope(app);
    const key = Keys.square('1');
    expect(await read(key, async () => 1)).toBe(1);
    await write(key, 2, async () => undefined);
    expect(await read(key, async () => 3)).toBe(2);
  });

  it('tries again after a read that failed', async () => {
    const { stores } = requestScope(app);
    app.failNext('database');
    await expect(stores.projects.get('none')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    app.clock.advance(5_000);
    await expect.poll(() => stores.projects.get('none').catch(() => 'failed')).toBeNull();
  });

  it('writes behind with its own store', async () => {
    const { stores, write } = requestScope(app);
    const receipt = await write(Keys.note('a'), { text: 'x' }, stores.notes);
    await receipt.persisted();
    expect(await app.cache.get(Keys.note('a'))).toEqual({ text: 'x' });
  });
});

describe('Fastify', () => {
  it('gives each request its own reads, and closes the app with the server', async () => {
    const server = Fastify();
    await server.register(forebayFastify, { app });
    server.get('/:id', async ({ forebay, params }) => {
      const { id } = params as { id: string };
      const [row, again] = await Promise.all([
        forebay.stores.projects.get(id),
        forebay.stores.projects.get(id),
      ]);
      return { name: row?.name, isOne: row === again };
    });
    expect((await server.inject('/a')).json()).toEqual({ name: 'a', isOne: true });
    expect(rowReads()).toBe(1);
    await server.inject('/a');
    expect(rowReads()).toBe(2);
    await server.close();
    await expect(app.cache.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('leaves an app open that others use', async () => {
    const server = Fastify();
    await server.register(forebayFastify, { app, closesApp: false });
    await server.close();
    expect(await app.stores.projects.get('a')).toMatchObject({ name: 'a' });
  });
});

describe('Hono', () => {
  it('gives each request its own reads', async () => {
    const server = new Hono().use(forebayHono(app)).get('/:id', async (context) => {
      const { projects } = context.var.forebay.stores;
      const id = context.req.param('id');
      const [row, again] = await Promise.all([projects.get(id), projects.get(id)]);
      return context.json({ name: row?.name, isOne: row === again });
    });
    expect(await (await server.request('/a')).json()).toEqual({ name: 'a', isOne: true });
    expect(rowReads()).toBe(1);
  });

  it('closes the app once its server has', async () => {
    const server = serve({ fetch: new Hono().fetch, port: 0 });
    closeWith(server, app);
    await new Promise((resolve) => server.close(resolve));
    await expect.poll(() => app.cache.get('a').catch(({ code }) => code)).toBe('CLOSED');
  });
});
