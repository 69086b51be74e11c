/** The stores that are written: plain rows, rows with a version column, and a counter in these. */
import { Client, Project } from '../examples/platform/generated/models.js';
import { counter } from '../src/definitions/counter.js';
import { record } from '../src/definitions/record.js';
import { defineStores } from '../src/definitions/stores.js';

const versioned = record({ model: Project, version: 'views', counters: ['touches'] });

export const stores = defineStores({
  plain: record({ model: Client }),
  versioned,
  counts: counter({ of: versioned, field: 'touches' }),
});

/** Where the rows are, by store: `name` holds what a write wrote. */
export const tables = {
  plain: { table: 'clients', column: 'name' },
  versioned: { table: 'projects', column: 'name' },
  counts: { table: 'projects', column: 'touches' },
} as const;

export type StoreName = keyof typeof tables;
