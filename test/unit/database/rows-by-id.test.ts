/** Ids as the generated SQL gets them. */
import { describe, expect, it } from 'vitest';
import { idJson } from '../../../src/database/rows-by-id.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores, type RecordStore } from '../../../src/definitions/stores.js';
import { field, modelOf } from '../definitions/models.js';

describe("an id's JSON", () => {
  const model = modelOf<object>(
    {
      name: field('String'),
      int: field('Int'),
      big: field('BigInt'),
      color: field('Enum', { enumValues: { RED: 'red' } }),
    },
    { id: ['name', 'int', 'big', 'color'] },
  );
  const store = defineStores({ things: record({ model }) }).byName.get('things') as RecordStore;
  const idKey = store.ids.toKey({ name: 'a,b', int: 1, big: 9007199254740993n, color: 'RED' });

  it('has each part under its field name, with all digits', () => {
    expect(idJson(store, model, idKey)).toMatchObject({ name: 'a,b', int: 1, big: '9007199254740993' });
  });

  // The enum's name in Prisma is none of its values in Postgres.
  it('has the value of an enum that Postgres knows', () => {
    expect(idJson(store, model, idKey)).toMatchObject({ color: 'red' });
  });

  it('of one part has that part under its field name', () => {
    const single = modelOf<object>({ id: field('BigInt') });
    const stores = defineStores({ things: record({ model: single }) });
    expect(idJson(stores.byName.get('things') as RecordStore, single, '5')).toEqual({ id: '5' });
  });
});
