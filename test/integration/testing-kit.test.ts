/** The kit's helpers on real services. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { drain } from '../../src/testing/drain.js';
import { expectPersisted } from '../../src/testing/expect-persisted.js';
import { withFaults } from '../../src/testing/faulty-database.js';
import { conformanceStores as stores } from '../support/conformance/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

it('drain takes everything to the database where no worker runs', async () => {
  const { config, prisma } = environment;
  const app = await environment.connect(stores);
  await app.stores.projects.put({ id: 'a', name: 'x' });
  await app.stores.touches.add('a', 2);
  await drain(app, { stores, prisma, config });
  expect(await prisma.project.findMany({ select: { id: true, touches: true } })).toEqual([
    { id: 'a', touches: 2 },
  ]);
  expect(await expectPersisted(app, 'projects', 'a')).toMatchObject({ name: 'x' });
});

it('expectPersisted tells of a row that the database refuses, and why', async () => {
  const { config, prisma } = environment;
  await prisma.$executeRawUnsafe(`ALTER TABLE projects ADD CONSTRAINT no_refused CHECK (name <> 'refused')`);
  const app = await environment.connect(stores);
  await environment.startWorker(stores, {}, prisma, config);
  await app.stores.projects.put({ id: 'a', name: 'refused' });
  await expect(expectPersisted(app, 'projects', 'a')).rejects.toMatchObject({
    name: 'AssertionError',
    actual: null,
    expected: { name: 'refused' },
    message: expect.stringContaining('no_refused'),
  });
});

it('withFaults has loads fail, and a worker try again', async () => {
  const { config } = environment;
  const { prisma, failNext } = withFaults(environment.prisma);
  const app = await environment.connect(stores, { prisma });
  failNext();
  await expect(app.stores.projects.get('a')).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await app.stores.projects.put({ id: 'a', name: 'x' });
  await environment.startWorker(stores, {}, prisma, config);
  failNext(undefined, 2);
  await app.flush();
  expect(await environment.prisma.project.count()).toBe(1);
});
