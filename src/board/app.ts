/** The board's site: who may come in, forebay's own pages, and Bull Board beside them. */
import type { Context, Hono as Site } from 'hono';
import { isForebayError, messageOf } from '../errors.js';
import type { LetterQuery } from '../operations/letter-search.js';
import { Hono, headers } from '../peers/hono.js';
import type { Access, BoardEnv } from './access/access.js';
import { readAssets } from './assets.js';
import type { BoardFacts } from './facts.js';
import { type Html, layout } from './page/layout.js';
import { lettersPage } from './page/letters.js';
import { hottestPage, processesPage, schedulesPage } from './page/lists.js';
import { overviewPage, storePage } from './page/overview.js';
import { wherePage } from './page/where.js';
import type { BoardQueues } from './queues.js';

type BoardContext = Context<BoardEnv>;

export interface SiteDependencies {
  readonly access: Access;
  readonly facts: BoardFacts;
  readonly queues: BoardQueues;
}

const bullPath = '/queues';

/** Nothing but what this site serves is loaded, and nobody puts its pages into a frame. */
const ownPagesOnly = headers.secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: 'DENY',
});
/** Bull Board's pages have styles and scripts in line. */
const bullHeaders = headers.secureHeaders({
  contentSecurityPolicy: { frameAncestors: ["'none'"], baseUri: ["'self'"], formAction: ["'self'"] },
  xFrameOptions: 'DENY',
});

const isBull = (path: string): boolean => /^\/(queues|api|static)(\/|$)/.test(path);

export function createSite({ access, facts, queues }: SiteDependencies): Site<BoardEnv> {
  const site = new Hono<BoardEnv>();
  site.use(access.audit, access.requireOwnPage);
  site.use((context, next) => (isBull(context.req.path) ? bullHeaders : ownPagesOnly)(context, next));
  site.onError(tellError);
  servePublic(site, access);
  site.use(access.require);
  servePages(site, facts);
  serveChanges(site, facts);
  serveBull(site, queues);
  return site;
}

/** What is served to everybody: the login, and what makes it look well. */
function servePublic(site: Site<BoardEnv>, access: Access): void {
  site.get('/login', (context) => access.showLogin(context));
  site.post('/login', (context) => access.login(context));
  site.post('/logout', (context) => access.logout(context));
  for (const { path, type, content } of readAssets()) {
    site.get(path, (context) =>
      context.body(content, 200, { 'content-type': type, 'cache-control': 'public, max-age=300' }),
    );
  }
}

function servePages(site: Site<BoardEnv>, facts: BoardFacts): void {
  site.get('/', async (context) =>
    page(context, 'Overview', overviewPage(await facts.overview(), context.get('identity'))),
  );
  site.get('/stores/:store', async (context) => {
    const store = context.req.param('store');
    const body = storePage(await facts.overview(), store);
    return body === undefined ? context.text('There is no such store.', 404) : page(context, store, body);
  });
  site.get('/where', async (context) => {
    const what = context.req.query('what')?.trim() ?? '';
    const found = what === '' ? undefined : await facts.where(what).catch(toProblem);
    return page(context, 'Where is my write?', wherePage(what, found, context.get('identity')));
  });
  site.get('/letters', async (context) => {
    const query = queryOf(context.req.query());
    const view = { ...(await facts.letters(query)), query, identity: context.get('identity') };
    return page(context, 'Dead letters', lettersPage(view));
  });
  site.get('/schedules', async (context) =>
    page(context, 'Schedules', schedulesPage(await facts.schedules(), context.get('identity'))),
  );
  site.get('/processes', async (context) =>
    page(context, 'Processes', processesPage(await facts.processes())),
  );
  site.get('/hottest', async (context) =>
    page(context, 'Hottest keys', hottestPage(await facts.hottest(), facts)),
  );
}

function serveChanges(site: Site<BoardEnv>, facts: BoardFacts): void {
  site.post('/letters/:act{replay|discard}', async (context) => {
    const act = context.req.param('act') as 'replay' | 'discard';
    const form = await formOf(context);
    const { lane, field, at } = form;
    const isOne = lane !== undefined && field !== undefined && at !== undefined;
    const count = isOne
      ? await facts.settleOne(act, { lane, field, at })
      : await facts.settle(act, queryOf(form));
    const of = isOne ? field : JSON.stringify(queryOf(form));
    return done(context, '/letters', { [act]: count }, `${act}: ${count} of ${of}`);
  });
  site.post('/schedules/:name/run', async (context) => {
    const name = context.req.param('name');
    const isKnown = await facts.runSchedule(name);
    return isKnown ? done(context, '/schedules', {}, `run: ${name}`) : missing(context);
  });
  site.post('/stores/:name/:act{pause|resume}', async (context) => {
    const { name, act } = context.req.param();
    const isKnown = await facts.pauseStore(name, act === 'pause');
    return isKnown ? done(context, '/', {}, `${act}: store ${name}`) : missing(context);
  });
  site.post('/queue-states/:name/:act{pause|resume}', async (context) => {
    const { name, act } = context.req.param();
    const isKnown = await facts.pauseQueue(name, act === 'pause');
    return isKnown ? done(context, '/', {}, `${act}: queue ${name}`) : missing(context);
  });
}

/** Bull Board, by role. Its API is at the root, too, where it was before forebay had pages of its own. */
function serveBull(site: Site<BoardEnv>, queues: BoardQueues): void {
  const boardFor = (isReadOnly: boolean): Site => {
    const board = queues.bullBoard(bullPath, { isReadOnly });
    return new Hono().route(bullPath, board).route('/', board);
  };
  const boards = { operator: boardFor(false), reader: boardFor(true) };
  site.get(`${bullPath}/`, (context) => context.redirect(bullPath));
  site.get('/queue/*', (context) => context.redirect(bullPath + context.req.path));
  site.all('*', (context) => boards[context.get('identity').role].fetch(context.req.raw, context.env));
}

function page(context: BoardContext, title: string, body: Html): Response | Promise<Response> {
  context.header('cache-control', 'no-store');
  const { path } = context.req;
  const identity = context.get('identity');
  return context.html(layout({ title, path, identity, done: saidOf(context) }, body));
}

const acts = { replay: 'Accepted again', discard: 'Discarded' } as const;

/** Of the change that has led to this page: only a number is taken from the address. */
function saidOf(context: BoardContext): string | undefined {
  for (const [act, words] of Object.entries(acts)) {
    const count = context.req.query(act);
    if (count !== undefined && /^\d{1,6}$/.test(count)) return `${words}: ${count}.`;
  }
  return undefined;
}

function done(
  context: BoardContext,
  to: string,
  said: Readonly<Record<string, number>>,
  audit: string,
): Response {
  context.set('done', audit);
  const search = new URLSearchParams();
  for (const [name, count] of Object.entries(said)) search.set(name, String(count));
  return context.redirect(search.size === 0 ? to : `${to}?${search.toString()}`, 303);
}

function missing(context: BoardContext): Response {
  return context.text('There is none of this name.', 404);
}

async function formOf(context: BoardContext): Promise<Record<string, string | undefined>> {
  const entries = Object.entries(await context.req.parseBody());
  return Object.fromEntries(entries.filter((entry) => typeof entry[1] === 'string')) as Record<
    string,
    string
  >;
}

function queryOf({ store, id, error, until, group }: Record<string, string | undefined>): LetterQuery {
  return { store, id, error, until: until && /^\d+$/.test(until) ? until : undefined, group };
}

/** What the asker can mend; the rest is an error of the page. */
function toProblem(error: unknown): { problem: string } {
  if (isForebayError(error, 'INVALID_ID') || isForebayError(error, 'INVALID_KEY'))
    return { problem: error.message };
  throw error;
}

/** What is asked for and is not there, or can't be, is no trouble of the board's. */
function tellError(error: Error, context: BoardContext): Response {
  if (isForebayError(error, 'UNKNOWN_STORE')) return context.text(error.message, 404);
  if (isForebayError(error) && /^INVALID_(ID|KEY|VALUE)$/.test(error.code))
    return context.text(error.message, 400);
  return context.text(`The board can't answer now: ${messageOf(error)}`, 503);
}
