import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

interface Note {
  readonly id: string;
  readonly text: string;
}

let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

describe('batches follow the database', () => {
  it('they shrink while it is slow, grow back when it is quick, and nothing is left out', async () => {
    let msPerRecord = 1;
    const persisted: string[] = [];
    const notes = record<Note, 'id'>({
      id: 'id',
      partitions: 1,
      batchRecordsMax: 400,
      load: async () => [],
      async persist({ puts }) {
        await wait(msPerRecord * puts.length);
        persisted.push(...puts.map(({ id }) => id));
      },
    });
    const definitions = defineStores({ notes });
    const app = await environment.connect(definitions);
    const putMany = (count: number, name: string): Promise<unknown> =>
      app.stores.notes.putMany(Array.from({ length: count }, (_, i) => ({ id: `${name}-${i}`, text: name })));

    await putMany(1_200, 'slow');
    await environment.startWorker(definitions);
    await app.flush();
    const slow = sizes();
    expect(slow[0]).toBe(400);
    expect(Math.max(...slow.slice(-2))).toBeLessThanOrEqual(200);

    msPerRecord = 0;
    await putMany(4_000, 'quick');
    await app.flush();
    expect(sizes().slice(slow.length)).toContain(400);
    expect(persisted).toHaveLength(5_200);
    expect(new Set(persisted).size).toBe(5_200);
  });
});

/** Of all batches so far, in their order. */
function sizes(): number[] {
  return environment.events.flatMap((event) => (event.type === 'batch.acked' ? [event.size] : []));
}
