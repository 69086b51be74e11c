/** Whom the board lets do what: routes × who asks × methods × the page that asks. */
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { User } from '../../examples/platform/generated/models.js';
import { BoardService } from '../../src/board/board.js';
import type { Config } from '../../src/config.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import type { ForebayEvent } from '../../src/events.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const stores = defineStores({ users: record({ model: User, private: ['email'], delayMs: 0 }) });
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

let environment: Environment;
let board: BoardService;
let told: ForebayEvent[] = [];

const accounts = { user: 'ops', password: 's3cret', reader: 'eve', readerPassword: 'looks' };
const proxy = { proxyHeader: 'x-user', proxyAddresses: ['127.0.0.1'], proxyOperators: ['ada'] };

async function start(settings: Partial<Config['board']>): Promise<BoardService> {
  const { prisma } = environment;
  const service = new BoardService({
    stores,
    prisma,
    config: { ...environment.config, board: { host: '127.0.0.1', port: 0, ...settings } },
    emit: (event) => told.push(event),
  });
  await service.start();
  return service;
}

beforeAll(async () => {
  environment = await createEnvironment();
  board = await start({ ...accounts, ...proxy });
});

afterAll(async () => {
  await board.stop(1_000);
  agent.destroy();
  await environment.close();
});

beforeEach(() => {
  told = [];
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

type Headers = Readonly<Record<string, string>>;

function ask(method: string, path: string, headers: Headers = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = new URL(path, board.url);
    request(url, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    })
      .on('error', reject)
      .end(body);
  });
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const formType = { 'content-type': 'application/x-www-form-urlencoded' };

async function logIn(user: string, password: string, headers: Headers = {}, next = '/'): Promise<Answer> {
  return ask('POST', '/login', { ...formType, ...headers }, form({ user, password, next }));
}

async function cookieOf(user: string, password: string): Promise<string> {
  const { headers } = await logIn(user, password);
  return (headers['set-cookie']?.[0] ?? '').split(';')[0] as string;
}

const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` });

const safeRoutes = [
  '/',
  '/stores/users',
  '/where',
  '/where?what=users:1',
  '/letters',
  '/letters?store=users&id=1&error=x',
  '/schedules',
  '/processes',
  '/hottest',
  '/queues',
  '/queues/queue/warm',
  '/queues/api/queues',
  '/api/queues',
];

const changes = [
  ['POST', '/letters/replay'],
  ['POST', '/letters/discard'],
  ['POST', '/stores/users/pause'],
  ['POST', '/stores/users/resume'],
  ['POST', '/queue-states/warm/pause'],
  ['POST', '/queue-states/warm/resume'],
  ['POST', '/schedules/none/run'],
  ['PUT', '/queues/api/queues/warm/pause'],
  ['PUT', '/queues/api/queues/warm/resume'],
  ['PUT', '/api/queues/warm/empty'],
  ['PUT', '/api/queues/pause'],
  ['PUT', '/api/queues/resume'],
  ['DELETE', '/letters'],
  ['PATCH', '/'],
] as const;

type Role = 'operator' | 'reader' | 'nobody';

/** Who asks: by what headers, and as what he is to be known. */
async function askers(): Promise<[string, Headers, Role][]> {
  const cookie = await cookieOf('ops', 's3cret');
  return [
    ['nobody', {}, 'nobody'],
    ['an operator’s session', { cookie }, 'operator'],
    ['a reader’s session', { cookie: await cookieOf('eve', 'looks') }, 'reader'],
    ['an operator’s password', basic('ops:s3cret'), 'operator'],
    ['a reader’s password', basic('eve:looks'), 'reader'],
    ['an operator by the proxy', { 'x-user': 'ada' }, 'operator'],
    ['a reader by the proxy', { 'x-user': 'bob' }, 'reader'],
    ['a forged session', { cookie: `${cookie.slice(0, -2)}AA` }, 'nobody'],
    ['a session of nobody', { cookie: 'forebay_session=x.y' }, 'nobody'],
  ];
}

const pages: [Headers, boolean][] = [
  [{}, true],
  [{ 'sec-fetch-site': 'same-origin' }, true],
  [{ 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' }, false],
  [{ 'sec-fetch-site': 'same-site' }, false],
  [{ origin: 'http://evil.example' }, false],
  [{ origin: 'null' }, false],
];

/** For what changes nothing: one that is the board's own, and one that is not. */
const sides = [pages[0], pages[2]] as [Headers, boolean][];

function expected(role: Role, isChange: boolean, isOwn: boolean): number | 'let in' {
  if (isChange && !isOwn) return 403;
  if (role === 'nobody') return 401;
  return isChange && role === 'reader' ? 403 : 'let in';
}

const outcome = (status: number) => ([401, 403].includes(status) ? status : 'let in');

describe('the table', () => {
  afterAll(async () => {
    for (const path of ['/stores/users/resume', '/queue-states/write-behind/resume'])
      await ask('POST', path, { 'x-user': 'ada' });
  });

  it.each([
    ['GET', safeRoutes, sides],
    ['HEAD', ['/', '/queues/api/queues'], sides],
    ...(['POST', 'PUT', 'DELETE', 'PATCH'] as const).map(
      (method) => [method, changes.flatMap(([one, path]) => (one === method ? [path] : [])), pages] as const,
    ),
  ] as const)(
    '%s: each route is served to whom it is for, and to nobody else',
    async (method, paths, asking) => {
      const rows = (await askers()).flatMap((asker) => asking.map((page) => ({ asker, page })));
      const wrong = paths.map(async (path) => {
        const found = rows.map(async ({ asker: [who, headers, role], page: [page, isOwn] }) => {
          const { status } = await ask(method, path, { ...headers, ...page });
          const want = expected(role, !['GET', 'HEAD'].includes(method), isOwn);
          const isRight = outcome(status) === want && status < 500;
          return isRight ? [] : `${path} by ${who} ${JSON.stringify(page)}: ${status}, not ${want}`;
        });
        return (await Promise.all(found)).flat();
      });
      expect((await Promise.all(wrong)).flat()).toEqual([]);
    },
  );

  it('who is not logged in gets nothing but the login and what makes it look well', async () => {
    expect((await ask('GET', '/login')).status).toBe(200);
    expect((await ask('GET', '/assets/page.css')).headers['content-type']).toContain('text/css');
    const { status, headers } = await ask('GET', '/letters?id=1', { accept: 'text/html' });
    expect([status, headers.location]).toEqual([303, `/login?next=${encodeURIComponent('/letters?id=1')}`]);
    // A browser's script is not asked for a password in a window of the browser's own.
    expect((await ask('GET', '/')).headers['www-authenticate']).toContain('Basic');
    const script = await ask('GET', '/', { 'sec-fetch-site': 'same-origin' });
    expect(script.headers['www-authenticate']).toBeUndefined();
    for (const path of ['/queues/static/x.js', '/static/x.js', '/nothing', '/assets/../board.ts'])
      expect((await ask('GET', path)).status).toBe(401);
  });

  it('a header of a proxy that is not trusted is nobody’s word', async () => {
    const other = await start({ ...accounts, ...proxy, proxyAddresses: ['10.0.0.1'] });
    const { status } = await fetch(other.url, { headers: { 'x-user': 'ada' } });
    await other.stop(1_000);
    expect(status).toBe(401);
  });
});

describe('the login', () => {
  it('gives a session that scripts and other sites do not get', async () => {
    const { status, headers } = await logIn('ops', 's3cret', {}, '/letters?id=1');
    expect([status, headers.location]).toEqual([303, '/letters?id=1']);
    const cookie = headers['set-cookie']?.[0] ?? '';
    expect(cookie).toContain('HttpOnly');
    expect(cookie).toContain('SameSite=Lax');
    expect(cookie).not.toContain('Secure');
    const away = await logIn('ops', 's3cret', { host: 'board.example', origin: 'https://board.example' });
    expect(away.headers['set-cookie']?.[0]).toContain('Secure');
    const plain = await logIn('ops', 's3cret', { host: 'board.example', origin: 'http://board.example' });
    expect([plain.status, plain.headers['set-cookie']]).toEqual([400, undefined]);
  });

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', ''])(
    'leads to this site’s own pages, not to %j',
    async (next) => {
      expect((await logIn('ops', 's3cret', {}, next)).headers.location).toBe('/');
    },
  );

  it('of another site’s form is refused', async () => {
    expect((await logIn('ops', 's3cret', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it('ends with a log-out, and with the password', async () => {
    const cookie = await cookieOf('ops', 's3cret');
    expect((await ask('POST', '/logout', { cookie })).headers['set-cookie']?.[0]).toContain('Max-Age=0');
    const other = await start({ ...accounts, password: 'another' });
    const { status } = await fetch(other.url, { headers: { cookie } });
    const again = await start(accounts);
    const known = await fetch(again.url, { headers: { cookie } });
    await Promise.all([other.stop(1_000), again.stop(1_000)]);
    expect([status, known.status]).toEqual([401, 200]);
  });

  it('is limited after five wrong passwords, also for the right one, however it is given', async () => {
    const own = board;
    board = await start(accounts);
    try {
      for (let i = 0; i < 5; i++) expect((await logIn('ops', `wrong ${i}`)).status).toBe(401);
      expect((await logIn('ops', 's3cret')).status).toBe(429);
      expect((await ask('GET', '/', basic('ops:s3cret'))).status).toBe(429);
    } finally {
      await board.stop(1_000);
      board = own;
    }
  });
});

describe('what is told', () => {
  it('is each change, with who, what and how it ended; never a password', async () => {
    const cookie = await cookieOf('ops', 's3cret');
    await ask('POST', '/queue-states/warm/pause', { cookie });
    await ask('PUT', '/queues/api/queues/warm/resume', { 'x-user': 'bob', 'x-forwarded-for': '1.2.3.4' });
    await ask('PUT', '/queues/api/queues/warm/resume', { 'x-user': 'ada' });
    await logIn('s3cret', 'ops');
    await ask('GET', '/', { cookie });
    const address = '127.0.0.1';
    const audit = { type: 'board.audit', address };
    expect(told.filter(({ type }) => type === 'board.audit')).toEqual([
      { ...audit, user: 'ops', role: 'operator', what: 'POST /login', status: 303 },
      {
        ...audit,
        user: 'ops',
        role: 'operator',
        what: 'POST /queue-states/warm/pause',
        status: 303,
        done: 'pause: queue warm',
      },
      {
        ...audit,
        user: 'bob',
        role: 'reader',
        address: '1.2.3.4',
        what: 'PUT /queues/api/queues/warm/resume',
        status: 403,
      },
      {
        ...audit,
        user: 'ada',
        role: 'operator',
        what: 'PUT /queues/api/queues/warm/resume',
        status: 200,
      },
      { ...audit, user: '', role: 'nobody', what: 'POST /login', status: 401 },
    ]);
    expect(JSON.stringify(told)).not.toContain('s3cret');
  });
});

describe('the pages', () => {
  const reader = { 'x-user': 'bob' };
  const operator = { 'x-user': 'ada' };

  it('are protected by headers, and kept by nobody', async () => {
    const { headers } = await ask('GET', '/', operator);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['cache-control']).toBe('no-store');
    const bull = await ask('GET', '/queues', operator);
    expect(bull.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('escape what records, keys and errors say, show no private field, and offer readers no change', async () => {
    const script = '<script>alert(1)</script>';
    await environment.prisma.$executeRawUnsafe("ALTER TABLE users ADD CONSTRAINT few CHECK (name <> 'bad')");
    const app = await environment.connect(stores);
    await environment.startWorker(stores);
    await app.stores.users.put({ id: script, email: 'secret@x.y', name: 'bad' });
    await app.flush();
    const pages = [
      '/letters',
      `/letters?id=${script}`,
      `/where?what=users:${script}`,
      `/where?what=${script}:x`,
    ];
    for (const path of pages.map((one) => encodeURI(one))) {
      const [seen, offered] = [await ask('GET', path, reader), await ask('GET', path, operator)];
      expect(seen.status, path).toBe(200);
      expect(seen.text, path).toContain('&lt;script&gt;');
      expect(seen.text, path).not.toContain('<script>alert');
      expect(seen.text, path).not.toContain('secret@');
      expect(seen.text.match(/action="\/letters\/(replay|discard)"/), path).toBeNull();
      expect(offered.text.includes('action="/letters/replay"'), path).toBe(!path.includes(':x'));
    }
    expect((await ask('GET', '/', reader)).text).not.toContain('/pause"');
    const jobs = await ask(
      'GET',
      '/api/queues?activeQueue=dead-letter&status=failed&page=1&jobsPerPage=10',
      reader,
    );
    expect(jobs.text).toContain('users:');
    expect(jobs.text).not.toContain('secret@');
    expect(JSON.stringify(environment.events)).not.toContain('secret@');
  });
});
