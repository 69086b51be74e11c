/**
 * `forebay/fastify`: a plugin for Fastify: `server.register(forebayFastify, { app })`. `request.forebay` has
 * the stores and cached values, each of which a request reads once; the app is closed with the server.
 */
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import type { Forebay } from './app/connect.js';
import type { Definitions } from './definitions/stores.js';
import { type RequestScope, requestScope } from './neighbours/request-scope.js';

export { type RequestScope, requestScope } from './neighbours/request-scope.js';

/** What the plugin is registered with. */
export interface ForebayFastifyOptions {
  /** What `connect` gave, of any stores. */
  readonly app: Omit<Forebay<Definitions>, 'stores'> & { readonly stores: object };
  /** Whether `server.close()` closes the app too. Default true. */
  readonly closesApp?: boolean;
}

/** The plugin. Tell Fastify's types of your stores: `FastifyRequest { forebay: RequestScope<…> }`. */
export const forebayFastify: FastifyPluginCallback<ForebayFastifyOptions> = (server, options, done) => {
  const { app, closesApp = true } = options;
  const scopes = new WeakMap<FastifyRequest, RequestScope<Definitions>>();
  server.decorateRequest(
    'forebay' as never,
    {
      getter(this: FastifyRequest) {
        const scope = scopes.get(this) ?? requestScope(app as Forebay<Definitions>);
        scopes.set(this, scope);
        return scope;
      },
    } as never,
  );
  if (closesApp) server.addHook('onClose', () => app.close());
  done();
};

// As fastify-plugin does it: the decorator is for the whole server, not for the plugin's own routes.
Object.assign(forebayFastify, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'forebay',
});
