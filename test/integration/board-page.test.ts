/** The board's pages as people use them: in headless Chromium, with a worker at work. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { BoardService } from '../../src/board/board.js';
import { queuePrefix } from '../../src/keys.js';
import { chromiumPath, openChromium } from '../support/chromium.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const program = chromiumPath();
if (program === undefined)
  process.stderr.write(
    "The board's pages are not tested in a browser: there is no Chromium on the PATH (Debian: apt-get install chromium).\n",
  );

let environment: Environment;
let app: Forebay<(typeof stores)['definitions']>;
let board: BoardService;
let browser: Browser;
let page: Page;
let troubles: string[];

describe.skipIf(program === undefined)('in a browser', () => {
  beforeAll(async () => {
    environment = await createEnvironment();
    await environment.prisma.$executeRawUnsafe(
      "ALTER TABLE projects ADD CONSTRAINT good_name CHECK (name <> 'bad')",
    );
    app = await environment.connect(stores);
    await environment.startWorker(stores);
    board = new BoardService({
      stores,
      prisma: environment.prisma,
      config: {
        ...environment.config,
        board: {
          host: '127.0.0.1',
          port: 0,
          user: 'ops',
          password: 's3cret',
          reader: 'eve',
          readerPassword: 'looks',
        },
      },
      emit: () => undefined,
    });
    await board.start();
    browser = await openChromium(program as string);
  });

  afterAll(async () => {
    await browser?.close();
    await board?.stop(1_000);
    await environment?.close();
  });

  beforeEach(async () => {
    page = await (await browser.newContext({ viewport: { width: 1_000, height: 700 } })).newPage();
    troubles = [];
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
  });

  afterEach(async () => {
    await page.context().close();
  });

  const at = (path: string) => new URL(path, board.url).toString();

  async function logIn(user: string, password: string, path = '/'): Promise<void> {
    await page.goto(at(path));
    await page.getByLabel('Name').fill(user);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  const shows = (text: string | RegExp) => page.getByText(text).first().waitFor();

  it('a wrong password is told, a right one leads to the page that was asked for, and a log-out ends it', async () => {
    await logIn('ops', 'wrong', '/letters?id=7');
    await shows('Wrong name or password.');
    await page.getByLabel('Name').fill('ops');
    await page.getByLabel('Password').fill('s3cret');
    await page.keyboard.press('Enter');
    await page.waitForURL(at('/letters?id=7'));
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(at('/login'));
    await page.goto(at('/'));
    expect(page.url()).toBe(at('/login?next=%2F'));
  });

  it('a reader sees everything, and is offered no change', async () => {
    await app.stores.projects.put({ id: 'r', name: 'bad' });
    await app.flush();
    await logIn('eve', 'looks', '/letters');
    await shows('projects:r');
    for (const path of ['/letters', '/', '/where?what=projects:r', '/schedules']) {
      await page.goto(at(path));
      expect(await page.getByRole('button', { name: /Replay|Discard|Pause|Run/ }).count()).toBe(0);
    }
    await page.goto(at('/queues'));
    await shows('dead-letter');
    await app.deadLetters.discardAll();
  });

  it('a letter is found, its cause is mended, and it is replayed; its row is there then', async () => {
    for (const id of ['a1', 'a2', 'b1']) await app.stores.projects.put({ id, name: 'bad' });
    await app.flush();
    await logIn('ops', 's3cret', '/');
    await page.getByRole('link', { name: 'Dead letters' }).click();
    await page.getByLabel('Id has').fill('a');
    await page.getByLabel('Error has').fill('GOOD_NAME');
    await page.getByRole('button', { name: 'Search' }).click();
    await shows('1 error, 2 letters');
    await page.getByRole('link', { name: 'projects:a1' }).click();
    await shows(/^The database refused it .*good_name/);
    await environment.prisma.$executeRawUnsafe('ALTER TABLE projects DROP CONSTRAINT good_name');
    await page.getByRole('button', { name: 'Replay' }).click();
    await shows('Accepted again: 1.');
    await app.flush();
    await page.goto(at('/where?what=projects:a1'));
    await shows(/Its row is there\.$/);
    await page.goto(at('/letters'));
    await page.getByText('Discard…').first().click();
    await page.getByRole('button', { name: 'Discard for good' }).click();
    await shows('Discarded: 1.');
    await page.getByRole('button', { name: 'Replay all' }).click();
    await shows('No dead letters.');
    await app.flush();
    expect(await environment.prisma.project.count({ where: { name: 'bad' } })).toBe(2);
    expect(troubles).toEqual([]);
  });

  it('a queue and a store are paused and resumed', async () => {
    const { redis, config } = environment;
    const queue = new Queue('warm', { connection: redis, prefix: queuePrefix(config.prefix) });
    await logIn('ops', 's3cret');
    const row = (name: string) =>
      page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
    await row('warm').getByRole('button', { name: 'Pause' }).click();
    await row('warm').getByText('paused').waitFor();
    expect(await queue.isPaused()).toBe(true);
    await row('warm').getByRole('button', { name: 'Resume' }).click();
    await row('warm').getByRole('button', { name: 'Pause' }).waitFor();
    expect(await queue.isPaused()).toBe(false);
    await row('clients').getByRole('button', { name: 'Pause' }).click();
    await row('clients').getByText('paused').waitFor();
    await row('clients').getByRole('button', { name: 'Resume' }).click();
    await row('clients').getByRole('button', { name: 'Pause' }).waitFor();
    await queue.close();
    expect(troubles).toEqual([]);
  });

  it('a key is looked up, by hand and by a link', async () => {
    await app.cache.set('user:profile:7', 'Ada', 60);
    await logIn('ops', 's3cret', '/where');
    await page.getByRole('textbox').fill('user:profile:7');
    await page.keyboard.press('Enter');
    await shows(/^In the cache, and fresh/);
    await page.getByRole('textbox').fill('nonsense');
    await page.keyboard.press('Enter');
    await shows(/names nothing/);
    expect(troubles).toEqual([]);
  });

  it('the figures and the chart move without reloading, and the focus stays where it is', async () => {
    await logIn('ops', 's3cret');
    await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
    const button = page.getByRole('row').filter({ hasText: 'clients' }).getByRole('button');
    await button.focus();
    const tallest = () =>
      page
        .locator('#charts svg')
        .first()
        .locator('rect')
        .evaluateAll((bars) => Math.max(...bars.slice(-2).map((bar) => Number(bar.getAttribute('height')))));
    const before = await page.locator('#charts').innerText();
    await app.stores.clients.putMany(Array.from({ length: 500 }, (_, i) => ({ id: `c${i}`, name: 'n' })));
    await expect.poll(() => page.locator('#charts').innerText()).not.toBe(before);
    await expect.poll(tallest).toBeGreaterThan(0);
    await shows('live, as of');
    expect(await page.evaluate(() => 'isSamePage' in globalThis)).toBe(true);
    expect(await page.evaluate('document.activeElement.closest("tr").innerText')).toContain('clients');
    expect(troubles).toEqual([]);
  });

  it('every page fits a narrow window, and its content is two keys away', async () => {
    await page.setViewportSize({ width: 360, height: 640 });
    await logIn('eve', 'looks');
    await shows('Overview');
    const paths = [
      '/',
      '/letters',
      '/where?what=projects:x',
      '/processes',
      '/schedules',
      '/hottest',
      '/stores/tasks',
    ];
    for (const path of paths) {
      await page.goto(at(path));
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(360);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      expect(await page.evaluate('document.activeElement.id'), path).toBe('main');
    }
    expect(troubles).toEqual([]);
  });

  it('Bull Board works beside it, by its own page and its old addresses', async () => {
    await logIn('ops', 's3cret', '/queue/write-behind');
    await page.waitForURL(at('/queues/queue/write-behind'));
    await shows('write-behind');
    await page.goto(at('/queues'));
    await shows('dead-letter');
    // Its fonts are elsewhere.
    expect(troubles.filter((text) => !text.includes('ERR_NAME_NOT_RESOLVED'))).toEqual([]);
  });

  it('a form of another origin changes nothing, though the browser has a session', async () => {
    const { redis, config } = environment;
    const queue = new Queue('refresh', { connection: redis, prefix: queuePrefix(config.prefix) });
    await logIn('ops', 's3cret');
    await shows('Overview');
    const target = at('/queue-states/refresh/pause');
    const elsewhere = await servePage(`<form method="post" action="${target}"><button>Win</button></form>`);
    for (const host of ['127.0.0.1', 'localhost']) {
      const { port } = elsewhere.address() as AddressInfo;
      await page.goto(`http://${host}:${port}/`);
      await page.getByRole('button', { name: 'Win' }).click();
      await shows("Only the board's own pages may do this.");
    }
    expect(await queue.isPaused()).toBe(false);
    await queue.close();
    elsewhere.close();
    elsewhere.closeAllConnections();
  });
});

async function servePage(html: string): Promise<Server> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(html);
  });
  server.listen(0);
  await once(server, 'listening');
  return server;
}
