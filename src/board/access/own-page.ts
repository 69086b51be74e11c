/** Requests that a page of another site has a browser make are refused. */
import type { MiddlewareHandler } from 'hono';

export const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

export const isSafe = (method: string): boolean => /^(GET|HEAD|OPTIONS)$/.test(method);

/** A name as it stands in a URL or a Host header. */
export function isLoopbackName(url: string): boolean {
  return loopback.has(new URL(url).hostname.replace(/^\[|\]$/g, ''));
}

const hostOf = (origin: string) => (URL.canParse(origin) ? new URL(origin).host : undefined);

/**
 * A page of another site can make a browser send a form, with the session that the browser has. Browsers say
 * which page asks; who says nothing is no browser.
 */
export function isOwnPage(header: (name: string) => string | undefined): boolean {
  const site = header('sec-fetch-site');
  const origin = header('origin');
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return origin === undefined || hostOf(origin) === header('host');
}

/** A page of another site can make a browser call a name that resolves to 127.0.0.1; its Host header tells. */
export const requireLoopbackName: MiddlewareHandler = async (context, next) =>
  isLoopbackName(context.req.url) ? next() : context.text('The board answers on loopback only.', 403);
