/** Stores whose rows belong to those of another: which definitions can be used, and what shares their lanes. */
import { describe, expect, it } from 'vitest';
import { Lanes } from '../../../src/buffer/lane.js';
import { aggregateAnchor, rootKeyOf } from '../../../src/definitions/aggregate.js';
import { counter } from '../../../src/definitions/counter.js';
import type { Field } from '../../../src/definitions/model.js';
import { type RecordDefinition, record } from '../../../src/definitions/record.js';
import { defineStores, type LaneGroup, type Store } from '../../../src/definitions/stores.js';
import { field, modelOf, refusal, withDefault } from './models.js';

const text = field('String');
const Order = modelOf({ id: text, total: field('Int') }, { name: 'Order' });
const lineFields = { orderId: text, line: field('Int'), looks: field('Int', withDefault(0)) };
const orders = record({ model: Order });

const lineModel = (fields: Record<string, Field> = lineFields, id: readonly string[] = ['orderId', 'line']) =>
  modelOf({ ...lineFields, ...fields }, { name: 'Line', id });

function lines(model = lineModel(), options: object = {}): RecordDefinition {
  return record({ model, counters: ['looks'], partitionBy: { orderId: orders }, ...options } as never);
}

describe('a store that is partitioned by another', () => {
  const orderLines = lines();
  const stores = defineStores({
    orderLines,
    looks: counter({ of: orderLines as never, field: 'looks' as never }),
    orders,
  });
  const [group] = stores.groups as [LaneGroup];

  it('has the lanes of that, with its counters; a row comes before those that belong to it', () => {
    expect(stores.groups).toHaveLength(1);
    expect(group.name).toBe('orders');
    expect(group.records.map(({ name }) => name)).toEqual(['orders', 'orderLines']);
    expect(group.parts).toEqual(new Set(['orderLines', 'looks']));
    for (const store of stores.byName.values()) expect(store.group).toBe(group);
  });

  it('has its records in the lane of the row that they belong to, whatever that is called', () => {
    const lanes = new Lanes(stores, 'test');
    const [root, part, look] = ['orders', 'orderLines', 'looks'].map(
      (name) => stores.byName.get(name) as Store,
    );
    for (const orderId of ['a', 'a,b', 'a%2Cb', '%', 'é', 'o'.repeat(200)]) {
      const key = root?.ids.toKey(orderId) as string;
      const lineKey = part?.ids.toKey({ orderId, line: -7 }) as string;
      expect(rootKeyOf(group, 'orderLines', lineKey)).toBe(key);
      expect(aggregateAnchor(group, 'looks', lineKey)).toBe(`@orders:${key}`);
      expect(lanes.ofRecord(part as Store, lineKey)).toBe(lanes.ofRecord(root as Store, key));
      expect(lanes.ofRecord(look as Store, lineKey)).toBe(lanes.ofRecord(root as Store, key));
    }
  });

  it.each<[string, Parameters<typeof defineStores>[0], ...string[]]>([
    ['by a store that is not defined', { orderLines: lines() }, 'orderLines', 'not among the stores'],
    [
      'by an id that does not begin with it',
      { orders, orderLines: lines(lineModel({}, ['line', 'orderId'])) },
      '@@id([orderId, …])',
    ],
    [
      'by an id that is nothing more',
      { orders, orderLines: lines(lineModel({}, ['orderId'])) },
      'must begin with it',
    ],
    [
      'by a field of another type',
      { orders, orderLines: lines(lineModel({ orderId: field('Int') })) },
      'has not the type',
    ],
    [
      'with lanes of its own to say of',
      { orders, orderLines: lines(lineModel(), { partitions: 8, delayMs: 1 }) },
      "partitions is orders's to say",
      "delayMs is orders's to say",
    ],
    [
      'by one that is partitioned itself',
      {
        orders,
        orderLines: lines(),
        deeper: record({
          model: modelOf({ ...lineFields }, { name: 'Deeper', id: ['orderId', 'line'] }),
          partitionBy: { orderId: lines() },
        } as never),
      },
      'deeper',
    ],
  ])('%s is refused', (_, definitions, ...texts) => {
    expect(() => defineStores(definitions)).toThrow(refusal('INVALID_DEFINITION', ...texts) as never);
  });
});
