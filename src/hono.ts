/**
 * `forebay/hono`: a middleware for Hono. `c.var.forebay` has the stores and cached values, each of which a
 * request reads once: `new Hono().use(forebayHono(app))`.
 */
import type { MiddlewareHandler } from 'hono';
import type { Forebay } from './app/connect.js';
import type { Definitions } from './definitions/stores.js';
import { type RequestScope, requestScope } from './neighbours/request-scope.js';

export { type RequestScope, requestScope } from './neighbours/request-scope.js';

/** What the middleware sets: `c.var.forebay`. */
export interface ForebayVariables<D extends Definitions> {
  /** The app's, as this request sees them. */
  readonly forebay: RequestScope<D>;
}

/** What tells of its end: the server that `serve` of `@hono/node-server` gives, or any of Node's. */
export interface ClosingServer {
  /** Calls the listener once it takes no requests any more, and has answered all. */
  once(event: 'close', listener: () => void): unknown;
}

/** The middleware. */
export function forebayHono<D extends Definitions>(
  app: Forebay<D>,
): MiddlewareHandler<{ Variables: ForebayVariables<D> }> {
  return async (context, next) => {
    context.set('forebay', requestScope(app));
    await next();
  };
}

/** Closes the app once the server has closed. */
export function closeWith(server: ClosingServer, app: { close(): Promise<void> }): void {
  server.once('close', () => void app.close());
}
