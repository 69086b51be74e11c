/** The command `npm run changes:setup`: makes what the change worker needs in Postgres, and prints it. */
import { createPrisma } from '../examples/platform/prisma.js';
import { stores } from '../examples/platform/stores.js';
import { readConfig, requireDatabaseUrl } from '../src/config.js';
import { messageOf } from '../src/errors.js';
import { setUpChanges } from '../src/worker.js';

const config = readConfig();
const databaseUrl = requireDatabaseUrl(config);
const prisma = createPrisma(databaseUrl, { name: 'forebay-changes-setup', connections: 1 });
try {
  const statements = await setUpChanges({ stores, prisma, databaseUrl, prefix: config.prefix });
  process.stdout.write([...statements, 'Postgres tells of changes.', ''].join('\n'));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  await prisma.$disconnect();
}
