/** Orders and their lines: an aggregate, with tables of its own. A line's amount must not be below 0. */

import { counter } from '../../src/definitions/counter.js';
import type { Field, Model } from '../../src/definitions/model.js';
import { type BufferOptions, record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';

interface OrderRow {
  id: string;
  note: string;
  total: number;
  lineCount: number;
}

interface OrderInput {
  id: string;
  note: string;
  total: number;
}

interface OrderLineRow {
  orderId: string;
  line: number;
  amount: number;
  looks: number;
}

type OrderLineInput = Omit<OrderLineRow, 'looks'>;

function column(name: string, type: Field['type'], initial?: number): Field {
  return {
    column: name,
    type,
    isList: false,
    isNullable: false,
    default: initial === undefined ? { kind: 'none' } : { kind: 'value', value: initial },
    hasDatabaseDefault: initial !== undefined,
  };
}

const Order: Model<OrderRow, OrderInput, string, 'Order'> = {
  name: 'Order',
  delegate: 'order',
  table: 'orders',
  id: ['id'],
  fields: {
    id: column('id', 'String'),
    note: column('note', 'String'),
    total: column('total', 'Int'),
    lineCount: column('line_count', 'Int', 0),
  },
  parents: [],
};

const OrderLine: Model<OrderLineRow, OrderLineInput, { orderId: string; line: number }, 'OrderLine'> = {
  name: 'OrderLine',
  delegate: 'orderLine',
  table: 'order_lines',
  id: ['orderId', 'line'],
  fields: {
    orderId: column('order_id', 'String'),
    line: column('line', 'Int'),
    amount: column('amount', 'Int'),
    looks: column('looks', 'Int', 0),
  },
  parents: ['Order'],
};

export const orderTables = [
  `CREATE TABLE orders (id text PRIMARY KEY, note text NOT NULL, total int NOT NULL, line_count int NOT NULL DEFAULT 0)`,
  `CREATE TABLE order_lines (
    order_id text NOT NULL REFERENCES orders,
    line int NOT NULL,
    amount int NOT NULL CHECK (amount >= 0),
    looks int NOT NULL DEFAULT 0,
    PRIMARY KEY (order_id, line))`,
];

/** `added`: fields of an order that a newer release has. */
export function orderStores(options: BufferOptions<string> = {}, added: Record<string, Field> = {}) {
  const model = { ...Order, fields: { ...Order.fields, ...added } };
  const orders = record({ model, counters: ['lineCount'], ...options });
  const orderLines = record({ model: OrderLine, counters: ['looks'], partitionBy: { orderId: orders } });
  return defineStores({
    orders,
    orderLines,
    lineCounts: counter({ of: orders, field: 'lineCount' }),
    lineLooks: counter({ of: orderLines, field: 'looks' }),
  });
}

/** As a release has them that knows of no aggregates. */
export function storesApart() {
  return defineStores({
    orders: record({ model: Order, counters: ['lineCount'] }),
    orderLines: record({ model: OrderLine, counters: ['looks'] }),
  });
}

export const stores = orderStores({ partitions: 2, delayMs: 5, batchRecordsMax: 20 });
export type OrderStores = (typeof stores)['definitions'];
