/** Rows that an older release of the definitions has accepted, read and flushed by a newer one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Client } from '../../examples/platform/generated/models.js';
import type { Field, Model } from '../../src/definitions/model.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { createEnvironment, type Environment } from '../support/environment.js';

type Row = Record<string, unknown>;

const { fields } = Client as unknown as Model;

/** The model of clients as a release has it; its table has all columns. */
function release(changed: Record<string, Field | undefined>, renamed?: Record<string, string>) {
  const all = Object.entries({ ...fields, ...changed }).filter(
    (entry): entry is [string, Field] => !!entry[1],
  );
  const model = { ...Client, fields: Object.fromEntries(all) } as unknown as Model<Row, Row, string>;
  return defineStores({ clients: record({ model, partitions: 1, ...(renamed ? { renamed } : {}) }) });
}

const today = release({});
let environment: Environment;

beforeEach(async () => {
  environment = await createEnvironment();
});

afterEach(() => environment.close());

async function accept(stores: ReturnType<typeof release>, row: Row): Promise<void> {
  const app = await environment.connect(stores);
  await app.stores.clients.put(row);
}

const rows = () => environment.prisma.client.findMany({ orderBy: { id: 'asc' } });

describe('a row that waits while a release is deployed', () => {
  it('gets the default of a field that was added', async () => {
    await accept(release({ email: undefined }), { id: 'a', name: 'Ada' });
    const app = await environment.connect(today);
    expect(await app.stores.clients.get('a')).toMatchObject({ name: 'Ada', email: null });
    await environment.startWorker(today);
    await app.flush();
    expect(await rows()).toMatchObject([{ id: 'a', name: 'Ada', email: null }]);
  });

  it('leaves out a field that was removed', async () => {
    const phone = { ...(fields.email as Field), column: 'phone' };
    await accept(release({ phone }), { id: 'a', name: 'Ada', phone: '1', email: 'a@example.invalid' });
    const app = await environment.connect(today);
    await environment.startWorker(today);
    await app.flush();
    expect(await rows()).toMatchObject([{ id: 'a', name: 'Ada', email: 'a@example.invalid' }]);
  });

  it('has its value under the new name of a field that was renamed', async () => {
    await accept(release({ name: undefined, title: fields.name }), { id: 'a', title: 'Ada' });
    const renaming = release({}, { name: 'title' });
    const app = await environment.connect(renaming);
    expect(await app.stores.clients.get('a')).toMatchObject({ name: 'Ada' });
    await environment.startWorker(renaming);
    await app.flush();
    expect(await rows()).toMatchObject([{ id: 'a', name: 'Ada' }]);
  });

  it('becomes a dead letter that says so, when a new field has no default; others land', async () => {
    await accept(release({ name: undefined }), { id: 'a' });
    const app = await environment.connect(today);
    await app.stores.clients.put({ id: 'b', name: 'Bob' });
    await environment.startWorker(today);
    await app.flush();
    expect(await rows()).toMatchObject([{ id: 'b' }]);
    expect(environment.events.filter(({ type }) => type === 'record.refused')).toMatchObject([
      { field: 'clients:a', error: { message: expect.stringContaining('field name is missing') } },
    ]);
  });

  it('is flushed by a worker of the older release too, which leaves the new column alone', async () => {
    await environment.prisma.client.create({ data: { id: 'a', name: 'Ada', email: 'kept@example.invalid' } });
    const older = release({ email: undefined });
    await accept(older, { id: 'a', name: 'Countess' });
    await environment.startWorker(older);
    await (await environment.connect(older)).flush();
    expect(await rows()).toMatchObject([{ name: 'Countess', email: 'kept@example.invalid' }]);
  });
});

describe('a cached row of another release', () => {
  it('is loaded anew: the database knows the fields that it lacks', async () => {
    await environment.prisma.client.create({ data: { id: 'a', name: 'Ada', email: 'a@example.invalid' } });
    const older = await environment.connect(release({ email: undefined }));
    const newer = await environment.connect(today);
    for (let turn = 0; turn < 3; turn++) {
      expect(await older.stores.clients.get('a')).not.toHaveProperty('email');
      expect(await newer.stores.clients.get('a')).toMatchObject({ email: 'a@example.invalid' });
    }
  });
});
