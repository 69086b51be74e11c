import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stores } from '../../examples/platform/stores.js';
import type { Forebay } from '../../src/app/connect.js';
import { drained } from '../support/drained.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { startWorkerProcess } from '../support/worker-process.js';

const rowCount = 1_000;
const rounds = 4;
const ids = Array.from({ length: rowCount }, (_, i) => `c${i}`);

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

describe('two apps patch different columns of the same rows', () => {
  it.each(['batch.written', 'batch.applied'] as const)(
    'and no patch is lost, with a worker killed at %s in each round',
    async (at) => {
      await environment.prisma.client.createMany({
        data: ids.map((id) => ({ id, name: 'none', email: 'none' })),
      });
      const [one, other] = [await environment.connect(stores), await environment.connect(stores)];
      const patchAll = (app: Forebay<(typeof stores)['definitions']>, fields: object) =>
        Promise.all(ids.map((id) => app.stores.clients.patch(id, fields)));
      for (let round = 0; round < rounds; round++) {
        const dying = await startWorkerProcess(environment, { at, action: 'exit' });
        await Promise.all([patchAll(one, { name: `n${round}` }), patchAll(other, { email: `e${round}` })]);
        await dying.exited();
      }
      await startWorkerProcess(environment);
      await drained(one);
      const rows = await environment.prisma.client.findMany({
        select: { id: true, name: true, email: true },
      });
      const last = { name: `n${rounds - 1}`, email: `e${rounds - 1}` };
      expect(new Map(rows.map(({ id, ...row }) => [id, row]))).toEqual(new Map(ids.map((id) => [id, last])));
    },
  );
});
