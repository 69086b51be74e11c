/** The command `npm run cache:warm`: see its `--help`. */
import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { runWarmCommand } from '../src/worker.js';

await runWarmCommand({
  stores,
  createPrisma: (databaseUrl) => createPrisma(databaseUrl, { name: 'forebay-cache-warm', connections: 2 }),
});
