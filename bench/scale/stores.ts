/** The stores of the bench: with room for a backlog of a million records. */
import { Client, Project } from '../../examples/platform/generated/models.js';
import { counter } from '../../src/definitions/counter.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';

const room = { dirtyMax: 1_000_000, dirtyBytesMax: 8_589_934_592 };
const projects = record({ model: Project, counters: ['views'] });

export const stores = defineStores({
  clients: record({ model: Client, partitions: 8, ...room }),
  projects,
  projectViews: counter({ of: projects, field: 'views' }),
});
