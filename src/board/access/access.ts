/**
 * Who asks, and whether he may. In this order: the reverse proxy's word, a session, a password with the
 * request itself (`curl -u`). A reader changes nothing. Each change, and each try to log in, is told as
 * `board.audit`.
 */
import type { Context, MiddlewareHandler } from 'hono';
import type { Emit } from '../../events.js';
import { cookies, getConnInfo } from '../../peers/hono.js';
import { loginPage } from '../page/login.js';
import { type Account, accountFor, type Identity } from './accounts.js';
import { Attempts } from './attempts.js';
import { isLoopbackName, isOwnPage, isSafe } from './own-page.js';
import type { AccessRules } from './rules.js';
import { Sessions, sessionMs } from './session.js';

/** What handlers know of a request. */
export interface BoardEnv {
  Variables: {
    identity: Identity;
    /** What a change has done, for the audit. */
    done: string;
  };
}

type BoardContext = Context<BoardEnv>;

const cookieName = 'forebay_session';
const everybody: Identity = { user: '', role: 'operator' };
const tooMany = 'Too many wrong passwords. Try again in a minute.';

export class Access {
  readonly #rules: AccessRules;
  readonly #sessions: Sessions;
  readonly #emit: Emit;
  readonly #attempts = new Attempts();

  constructor(rules: AccessRules, { secret, emit }: { secret: string; emit: Emit }) {
    this.#rules = rules;
    this.#sessions = new Sessions(secret, rules.accounts);
    this.#emit = emit;
  }

  /** In front of everything: tells of changes, also of those that are refused. */
  readonly audit: MiddlewareHandler<BoardEnv> = async (context, next) => {
    await next();
    const { method, path } = context.req;
    if (isSafe(method)) return;
    const { user, role } = context.get('identity') ?? { user: '', role: 'nobody' };
    const done = context.get('done');
    this.#emit({
      type: 'board.audit',
      user,
      role,
      address: this.#addressOf(context),
      what: `${method} ${path}`,
      status: context.res.status,
      ...(done === undefined ? {} : { done }),
    });
  };

  readonly requireOwnPage: MiddlewareHandler<BoardEnv> = async ({ req, text }, next) =>
    isSafe(req.method) || isOwnPage((name) => req.header(name))
      ? next()
      : text("Only the board's own pages may do this.", 403);

  /** In front of everything but the login. */
  readonly require: MiddlewareHandler<BoardEnv> = async (context, next) => {
    const identity = this.#identify(context);
    if (identity instanceof Response) return identity;
    context.set('identity', identity);
    const { method } = context.req;
    if (identity.role === 'reader' && !isSafe(method))
      return context.text('You may look, and change nothing.', 403);
    await next();
    return undefined;
  };

  showLogin(context: BoardContext): Response | Promise<Response> {
    return context.html(loginPage({ next: context.req.query('next') ?? '/' }));
  }

  async login(context: BoardContext): Promise<Response> {
    const form = await context.req.parseBody();
    const [user, password, next] = ['user', 'password', 'next'].map((name) => String(form[name] ?? ''));
    const found = this.#check(this.#addressOf(context), user as string, password as string);
    const page = { next: next as string };
    if (found === 'limited') return context.html(loginPage({ ...page, problem: tooMany }), 429);
    if (found === undefined)
      return context.html(loginPage({ ...page, problem: 'Wrong name or password.' }), 401);
    const isSecure = !isLoopbackName(context.req.url);
    if (isSecure && context.req.header('origin')?.startsWith('http:'))
      return context.html(loginPage({ ...page, problem: plainHttp }), 400);
    context.set('identity', found);
    cookies.setCookie(context, cookieName, this.#sessions.begin(found, Date.now()), {
      httpOnly: true,
      sameSite: 'Lax',
      secure: isSecure,
      path: '/',
      maxAge: sessionMs / 1_000,
    });
    return context.redirect(ownPath(next as string), 303);
  }

  logout(context: BoardContext): Response {
    cookies.deleteCookie(context, cookieName, { path: '/' });
    return context.redirect('/login', 303);
  }

  #identify(context: BoardContext): Identity | Response {
    const { accounts, proxy, isOpen } = this.#rules;
    if (isOpen)
      return isLoopbackName(context.req.url)
        ? everybody
        : context.text('The board answers on loopback only.', 403);
    const socket = socketOf(context);
    const named = proxy.identityOf(socket, (name) => context.req.header(name));
    const known = named ?? this.#sessions.accountOf(cookies.getCookie(context, cookieName) ?? '', Date.now());
    if (known) return known;
    const given = basicOf(context);
    if (given === undefined || accounts.length === 0) return this.#refuse(context);
    const found = this.#check(this.#addressOf(context), ...given);
    return found === 'limited' ? context.text(tooMany, 429) : (found ?? this.#refuse(context));
  }

  #check(address: string, user: string, password: string): Account | 'limited' | undefined {
    if (this.#attempts.waitMs(address) > 0) return 'limited';
    const found = accountFor(this.#rules.accounts, user, password);
    if (found) this.#attempts.succeeded(address);
    else this.#attempts.failed(address);
    return found;
  }

  /** Who reads pages logs in; a browser's script is not asked in a window of the browser's own. */
  #refuse(context: BoardContext): Response {
    const { method, url } = context.req;
    if (this.#rules.accounts.length === 0)
      return context.text('The board is reached through its reverse proxy.', 401);
    if (isSafe(method) && context.req.header('accept')?.includes('text/html'))
      return context.redirect(
        `/login?next=${encodeURIComponent(url.slice(new URL(url).origin.length))}`,
        303,
      );
    const isBrowser = context.req.header('sec-fetch-site') !== undefined;
    return context.text(
      'Log in first.',
      401,
      isBrowser ? {} : { 'www-authenticate': 'Basic realm="forebay"' },
    );
  }

  /** The proxy adds the address that it was called from at the end. */
  #addressOf(context: BoardContext): string {
    const socket = socketOf(context);
    if (!this.#rules.proxy.isTrusted(socket)) return socket;
    return context.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() || socket;
  }
}

const plainHttp =
  'This page came by plain HTTP, by which no password should travel: reach the board by HTTPS, through a reverse proxy, or on loopback.';

function socketOf(context: BoardContext): string {
  return (getConnInfo(context).remote.address ?? '').replace(/^::ffff:/, '');
}

function basicOf(context: BoardContext): [user: string, password: string] | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
}

/** A path of this site, wherever a link wanted to lead to. */
function ownPath(path: string): string {
  const base = 'http://own.invalid';
  const isOwn = path.startsWith('/') && URL.canParse(path, base) && new URL(path, base).origin === base;
  return isOwn ? path : '/';
}
