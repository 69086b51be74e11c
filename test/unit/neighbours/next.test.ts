/** What Next.js asks of its cache handlers, by their documented interface. */
import { beforeEach, describe, expect, it } from 'vitest';
import { nextCacheHandler, nextUseCacheHandler } from '../../../src/next.js';
import { createTestForebay } from '../../../src/testing/test-forebay.js';
import { conformanceStores as stores } from '../../support/conformance/stores.js';

type App = Awaited<ReturnType<typeof createTestForebay>>;

let app: App;
const connected = async () => app;

beforeEach(async () => {
  app = (await createTestForebay(stores)) as App;
});

const page = (html: string, tags = '') => ({
  kind: 'APP_PAGE',
  html,
  rscData: Buffer.from([0, 255, 10]),
  segmentData: new Map([['/a', Buffer.from('segment')]]),
  headers: { 'x-next-cache-tags': tags },
  status: 200,
});

describe('nextCacheHandler', () => {
  it('gives a page back as it was, with its bytes and maps', async () => {
    const Handler = nextCacheHandler(connected);
    await new Handler({ dev: false }).set('/', page('<p>'), { tags: [] });
    const found = await new Handler().get('/');
    expect(found?.value).toEqual(page('<p>'));
    expect(found?.value).toMatchObject({ rscData: expect.any(Buffer) });
    expect(Date.now() - (found?.lastModified ?? 0)).toBeLessThan(60_000);
    expect(await new Handler().get('/none')).toBeNull();
  });

  it.each([
    ['of the entry', ['products'], 'products'],
    ['of the page, which Next tells in a header', [], '_N_T_/layout,products,_N_T_/'],
  ])('has nothing any more once a tag %s is revalidated', async (_, tags, header) => {
    const Handler = nextCacheHandler(connected);
    await new Handler().set('/', page('old', header), { tags });
    await new Handler().set('/other', page('other'), { tags: ['others'] });
    await new Handler().revalidateTag(['products', 'more']);
    expect(await new Handler().get('/')).toBeNull();
    expect(await new Handler().get('/other')).not.toBeNull();
    await new Handler().set('/', page('new', header), { tags });
    expect((await new Handler().get('/'))?.value).toMatchObject({ html: 'new' });
  });

  it('has nothing for a page whose own tag was revalidated since', async () => {
    const handler = new (nextCacheHandler(connected))();
    await handler.set('fetch-1', { kind: 'FETCH', data: { body: 'x' } }, { tags: ['data'] });
    expect(await handler.get('fetch-1', { softTags: ['_N_T_/'] })).not.toBeNull();
    await handler.revalidateTag('_N_T_/');
    expect(await handler.get('fetch-1', { softTags: ['_N_T_/'] })).toBeNull();
    expect(await handler.get('fetch-1', { softTags: ['_N_T_/other'] })).not.toBeNull();
  });

  it('forgets what is set to null, and keeps builds apart', async () => {
    const [one, other] = ['1', '2'].map((buildId) => new (nextCacheHandler(connected, { buildId }))());
    await one?.set('/', page('one'));
    expect(await other?.get('/')).toBeNull();
    await one?.set('/', null);
    expect(await one?.get('/')).toBeNull();
    one?.resetRequestCache();
  });
});

describe('nextUseCacheHandler', () => {
  const entry = (text: string, tags: string[] = []) => ({
    value: new Blob([text]).stream() as ReadableStream<Uint8Array>,
    tags,
    stale: 60,
    timestamp: Date.now(),
    expire: 3_600,
    revalidate: 900,
  });
  const textOf = async (found: { value: ReadableStream } | undefined) =>
    found && new Response(found.value).text();

  it('gives entries back, also under keys of any length', async () => {
    const handler = nextUseCacheHandler(connected);
    const key = `[${'x'.repeat(5_000)}]`;
    await handler.set(key, Promise.resolve(entry('Ω')));
    const found = await handler.get(key, []);
    expect(found).toMatchObject({ stale: 60, expire: 3_600, revalidate: 900, tags: [] });
    expect(await textOf(found)).toBe('Ω');
    expect(await handler.get(`${key}y`, [])).toBeUndefined();
  });

  it('waits for an entry that is being set', async () => {
    const handler = nextUseCacheHandler(connected);
    let resolve: (made: ReturnType<typeof entry>) => void = () => undefined;
    const pending = new Promise<ReturnType<typeof entry>>((given) => {
      resolve = given;
    });
    const setting = handler.set('a', pending);
    const getting = handler.get('a', []);
    resolve(entry('late'));
    await setting;
    expect(await textOf(await getting)).toBe('late');
  });

  it('has nothing for tags that were updated, and tells when', async () => {
    const handler = nextUseCacheHandler(connected);
    expect(await handler.getExpiration(['t'])).toBe(0);
    await handler.set('a', Promise.resolve(entry('a', ['t'])));
    await handler.set('b', Promise.resolve(entry('b')));
    await handler.refreshTags();
    await handler.updateTags(['t']);
    expect(await handler.get('a', [])).toBeUndefined();
    expect(await handler.get('b', [])).not.toBeUndefined();
    expect(await handler.get('b', ['t'])).toBeUndefined();
    expect(await handler.getExpiration(['t', 'none'])).toBeGreaterThan(0);
  });
});
