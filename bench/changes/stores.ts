/** What both processes of the bench share. */
import { Client } from '../../examples/platform/generated/models.js';
import { record } from '../../src/definitions/record.js';
import { defineStores } from '../../src/definitions/stores.js';

export const stores = defineStores({ clients: record({ model: Client }) });
