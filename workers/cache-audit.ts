/** The command `npm run cache:audit`: see its `--help`. */
import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { runAuditCommand } from '../src/worker.js';

await runAuditCommand({
  stores,
  createPrisma: (databaseUrl) => createPrisma(databaseUrl, { name: 'forebay-cache-audit', connections: 2 }),
});
