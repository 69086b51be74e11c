/** The stores of the bench: an id begins with its tenant, which the store is told of or not. */
import { Client } from '../../examples/platform/generated/models.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';
import { requireVariable } from '../write-behind/variable.js';

/** What the lane holds at most: so few batches that a tenant that writes all that it can comes to it. */
const dirtyMax = 20_000;

const tenant = (id: string): string => id.slice(0, id.indexOf(':'));

export const stores = defineStores({
  clients: record({
    model: Client,
    dirtyMax,
    // All tenants are in one lane, which carries less than an app can write.
    partitions: 1,
    ...(requireVariable('BENCH_TENANTS') === 'told' ? { tenant } : {}),
  }),
});
