/** Requests that a page of another site has a browser make are refused. */
export const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

export const isSafe = (method: string): boolean => /^(GET|HEAD|OPTIONS)$/.test(method);

/** A page of another site can make a browser call a name that resolves to 127.0.0.1; the name tells. */
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
