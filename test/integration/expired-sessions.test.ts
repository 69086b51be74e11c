/** The nightly clean-up of expired sessions. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { removeExpiredSessions } from '../../examples/platform/expired-sessions.js';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const hourMs = 3_600_000;
const past = () => new Date(Date.now() - hourMs);
const future = () => new Date(Date.now() + hourMs);

let environment: Environment;
let app: Forebay<typeof stores.definitions>;
let progressed: number[];

beforeAll(async () => {
  environment = await createEnvironment();
  app = await environment.connect(stores);
  await environment.prisma.user.create({ data: { id: 'u', email: 'u@example.com', name: 'u' } });
  await environment.startWorker(stores);
});

beforeEach(async () => {
  progressed = [];
  await app.flush();
  await environment.prisma.session.deleteMany();
});

afterAll(() => environment.close());

const session = (id: string, expiresAt: Date) => ({
  id,
  token: `token ${id}`,
  userId: 'u',
  data: {},
  expiresAt,
});

function clean(signal = new AbortController().signal) {
  return removeExpiredSessions({
    app,
    prisma: environment.prisma,
    signal,
    progress: async (done) => void progressed.push(done),
  });
}

async function idsLeft(): Promise<string[]> {
  await app.flush();
  const left = await environment.prisma.session.findMany({ select: { id: true }, orderBy: { id: 'asc' } });
  return left.map(({ id }) => id);
}

describe('the clean-up of sessions', () => {
  it('removes those that have expired, and no other', async () => {
    await environment.prisma.session.createMany({
      data: [session('a-old', past()), session('a-live', future()), session('a-older', past())],
    });
    expect(await clean()).toEqual({ removed: 2, kept: 0 });
    expect(await idsLeft()).toEqual(['a-live']);
    expect(await app.stores.sessions.get('a-old')).toBeNull();
  });

  it('keeps one whose extension is accepted and not in the database yet', async () => {
    await environment.prisma.session.createMany({ data: [session('b', past())] });
    // Before the clean-up looks; and while it looks at the database, as reads go past what is pending.
    await app.stores.sessions.put(session('b', future()));
    expect((await clean()).removed).toBe(0);
    expect(await idsLeft()).toEqual(['b']);
    expect(await app.stores.sessions.get('b')).toMatchObject({ id: 'b' });
  });

  it('keeps one that is extended between the look and the delete', async () => {
    await environment.prisma.session.createMany({ data: [session('c', past())] });
    const { getVersioned } = app.stores.sessions;
    const sessions = Object.assign(Object.create(app.stores.sessions), {
      getMany: (ids: string[]) => app.stores.sessions.getMany(ids),
      async getVersioned(id: string) {
        const seen = await getVersioned.call(app.stores.sessions, id);
        await app.stores.sessions.put(session('c', future()));
        return seen;
      },
      deleteIf: (...args: Parameters<typeof app.stores.sessions.deleteIf>) =>
        app.stores.sessions.deleteIf(...args),
    });
    const raced = { ...app, stores: { ...app.stores, sessions } };
    const { signal } = new AbortController();
    const context = { app: raced, prisma: environment.prisma, signal, progress: async () => undefined };
    expect(await removeExpiredSessions(context)).toEqual({ removed: 0, kept: 1 });
    expect(await idsLeft()).toEqual(['c']);
  });

  it('goes page by page through thousands, and tells how far it is', async () => {
    const data = Array.from({ length: 2_500 }, (_, i) => session(`d${String(i).padStart(4, '0')}`, past()));
    await environment.prisma.session.createMany({ data });
    expect(await clean()).toEqual({ removed: 2_500, kept: 0 });
    expect(progressed).toEqual([1_000, 2_000, 2_500]);
    expect(await idsLeft()).toEqual([]);
  });

  it('stops after the page in hand', async () => {
    const controller = new AbortController();
    const data = Array.from({ length: 1_500 }, (_, i) => session(`e${String(i).padStart(4, '0')}`, past()));
    await environment.prisma.session.createMany({ data });
    const cleaning = removeExpiredSessions({
      app,
      prisma: environment.prisma,
      signal: controller.signal,
      progress: async () => controller.abort(new Error('stop')),
    });
    await expect(cleaning).rejects.toThrow('stop');
    expect(await idsLeft()).toHaveLength(500);
  });
});
