/** Nest's module, in an application of Nest: the app is injected where it is asked for, and closed with it. */
import { Controller, Get, Inject, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ForebayModule, type ForebayModuleOptions, forebayToken } from '../../../src/nest.js';
import { createTestForebay, type TestForebay } from '../../../src/testing/test-forebay.js';
import { conformanceStores as stores } from '../../support/conformance/stores.js';

type App = TestForebay<(typeof stores)['definitions']>;

let app: App;
let nest: NestFastifyApplication | undefined;

beforeEach(async () => {
  app = await createTestForebay(stores);
  await app.stores.projects.put({ id: 'a', name: 'first' });
});

afterEach(async () => {
  await nest?.close();
  nest = undefined;
  await app.close();
});

/** As `@Controller('projects')` and so on would make it. */
class Projects {
  readonly #app: App;

  constructor(connected: App) {
    this.#app = connected;
  }

  one(id: string): Promise<unknown> {
    return this.#app.stores.projects.get(id);
  }
}
Controller('projects')(Projects);
Inject(forebayToken)(Projects, undefined, 0);
Get(':id')(
  Projects.prototype,
  'one',
  Object.getOwnPropertyDescriptor(Projects.prototype, 'one') as PropertyDescriptor,
);
Param('id')(Projects.prototype, 'one', 0);

/** A module of its own, which imports nothing: the app is everywhere. */
class ProjectsModule {}
Module({ controllers: [Projects] })(ProjectsModule);

async function start(options: ForebayModuleOptions): Promise<NestFastifyApplication> {
  class Root {}
  Module({ imports: [ForebayModule.forRoot(options), ProjectsModule] })(Root);
  nest = await NestFactory.create<NestFastifyApplication>(Root, new FastifyAdapter(), {
    logger: false,
    abortOnError: false,
  });
  return nest;
}

describe('an application of Nest', () => {
  it('has the app that was connected injected, in any module', async () => {
    const server = await start({ connect: async () => app });
    await server.listen(0, '127.0.0.1');
    const answer = await fetch(`${await server.getUrl()}/projects/a`);
    expect(await answer.json()).toMatchObject({ id: 'a', name: 'first' });
  });

  it('connects it with what it injects', async () => {
    class Names {}
    Module({ providers: [{ provide: 'name', useValue: 'injected' }], exports: ['name'] })(Names);
    await start({
      connect: async (name: string) => {
        await app.stores.projects.put({ id: 'b', name });
        return app;
      },
      inject: ['name'],
      imports: [Names],
    });
    expect(await app.stores.projects.get('b')).toMatchObject({ name: 'injected' });
  });

  it('closes it when it is closed itself, once it has answered', async () => {
    const server = await start({ connect: () => app });
    await server.listen(0, '127.0.0.1');
    const url = await server.getUrl();
    expect((await fetch(`${url}/projects/a`)).status).toBe(200);
    await server.close();
    await expect(app.stores.projects.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('does not start when it can not connect', async () => {
    await expect(start({ connect: () => Promise.reject(new Error('away')) })).rejects.toThrow('away');
  });
});
