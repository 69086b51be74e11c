/** The routes, over a client that is connected already. */
import Fastify, { type FastifyInstance } from 'fastify';
import { type ErrorCode, type Forebay, isForebayError } from 'forebay';
import type { stores } from './stores.js';

/** What the caller may hear of an error, and what it can do: mend the call, or come again. All else is 500. */
const statuses: Partial<Record<ErrorCode, number>> = {
  INVALID_ID: 400,
  INVALID_VALUE: 400,
  ROW_MISSING: 404,
  CONFLICT: 409,
  BACKLOG_FULL: 503,
  TOO_MANY_LOADS: 503,
  REDIS_UNAVAILABLE: 503,
};

interface ById {
  readonly Params: { readonly id: string };
}

export function createApi(app: Forebay<typeof stores.definitions>): FastifyInstance {
  const api = Fastify({ bodyLimit: 65_536 });
  const { projects, projectViews, dashboards } = app.stores;

  api.get<ById>('/projects/:id', async ({ params: { id } }, reply) => {
    const project = await projects.get(id);
    if (project === null) return reply.code(404).send({ error: 'NOT_FOUND' });
    await projectViews.add(id, 1);
    return { ...project, views: Number(await projectViews.get(id)) };
  });

  api.put<ById & { Body: { name: string; managerId?: string } }>(
    '/projects/:id',
    { schema: { body: projectSchema(['name']) } },
    async ({ params: { id }, body }, reply) => {
      await projects.put({ ...body, id });
      // Accepted, and read by everybody from now on; in Postgres a moment later.
      return reply.code(202).send({ id });
    },
  );

  api.patch<ById & { Body: { name?: string; managerId?: string } }>(
    '/projects/:id',
    { schema: { body: projectSchema([]) } },
    async ({ params: { id }, body }, reply) => {
      await projects.patch(id, body);
      return reply.code(202).send({ id });
    },
  );

  api.get<ById>('/users/:id/dashboard', async ({ params: { id } }, reply) => {
    return (await dashboards.get(id)) ?? reply.code(404).send({ error: 'NOT_FOUND' });
  });

  api.get('/ready', async (_, reply) => {
    const report = await app.health.ready();
    return reply.code(report.ok ? 200 : 503).send(report);
  });

  api.setErrorHandler((error, _, reply) => {
    const status = isForebayError(error) ? statuses[error.code] : undefined;
    if (!isForebayError(error) || status === undefined) return reply.send(error);
    return reply.code(status).send({ error: error.code, message: error.message });
  });
  return api;
}

function projectSchema(required: readonly string[]) {
  const text = { type: 'string', minLength: 1, maxLength: 200 };
  const properties = { name: text, managerId: text };
  return { type: 'object', required, properties, additionalProperties: false } as const;
}
