/** Serves the API until a signal comes: `node main.js [PORT]`. */
import { connect, readConfig, requireDatabaseUrl } from 'forebay';
import { createPrisma } from '../platform/prisma.js';
import { createApi } from './api.js';
import { stores } from './stores.js';

const prisma = createPrisma(requireDatabaseUrl(readConfig()), { name: 'api', connections: 10 });
const app = await connect(stores, { prisma });
const api = createApi(app);
process.stdout.write(`${await api.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 3000) })}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close());

/** Requests under way first, then what they need. */
async function close(): Promise<void> {
  await api.close();
  await app.close();
  await prisma.$disconnect();
}
