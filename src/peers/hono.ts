/** Hono: the board's pages by HTTP. */
import { peer } from './peer.js';

export const { Hono } = peer<typeof import('hono')>('hono');
export const { html } = peer<typeof import('hono/html')>('hono/html');
export const cookies: typeof import('hono/cookie') = peer('hono/cookie');
export const headers: typeof import('hono/secure-headers') = peer('hono/secure-headers');
export const { createAdaptorServer } = peer<typeof import('@hono/node-server')>('@hono/node-server');
export const { getConnInfo } = peer<typeof import('@hono/node-server/conninfo')>(
  '@hono/node-server/conninfo',
);
export const { serveStatic } = peer<typeof import('@hono/node-server/serve-static')>(
  '@hono/node-server/serve-static',
);
