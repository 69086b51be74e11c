/** Counts 20,000 views of 200 pages, and says how many rows of Postgres that took. */
import { connect, readConfig, requireDatabaseUrl } from 'forebay';
import { createPrisma } from '../platform/prisma.js';
import { stores } from './stores.js';

const pages = 200;
const views = 20_000;

const prisma = createPrisma(requireDatabaseUrl(readConfig()), { name: 'page-counters', connections: 2 });
const app = await connect(stores, { prisma });

const ids = Array.from({ length: pages }, (_, page) => `page-${page}`);
await app.stores.projects.putMany(ids.map((id) => ({ id, name: `Page ${id}` })));

const begin = performance.now();
const adds = Array.from({ length: views }, () => app.stores.projectViews.add(popularPage(), 1));
await Promise.all(adds);
const acceptedMs = Math.round(performance.now() - begin);

// A counter is read as the database's value and what is pending, at one point in time.
const first = await app.stores.projectViews.get('page-0');
await app.flush();
const { _sum } = await prisma.project.aggregate({ _sum: { views: true } });

const viewsOfFirst = Number(first);
process.stdout.write(
  `${JSON.stringify({ views, acceptedMs, viewsOfFirst, sumInDatabase: Number(_sum.views) })}\n`,
);
await app.close();
await prisma.$disconnect();

/** The first pages are seen most. */
function popularPage(): string {
  return `page-${Math.floor(pages * Math.random() ** 3)}`;
}
