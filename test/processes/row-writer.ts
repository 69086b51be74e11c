/** The child of row-writers.ts: puts the rows that it is sent into the domain's stores, in their order. */

import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { connect } from '../../src/app/connect.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import type { WrittenRow } from './messages.js';

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 1, name: 'row-writer' });
const app = await connect(stores, { prisma, config });

process.on('message', async (rows: WrittenRow[]) => {
  const puts = rows.map(([store, row]) => app.stores[store].put(row as never));
  process.send?.((await Promise.all(puts)).length);
});
process.send?.('ready');
