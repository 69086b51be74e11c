/** Tells Prisma's command line where the schema, the migrations and the database are. */

import { defineConfig } from 'prisma/config';

// `prisma generate` looks for the schema engine, and downloads it, but never runs it. Any existing file ends
// the search, so that generating works without a download. Commands that run the engine keep the real one.
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

const databaseUrl = process.env.DATABASE_URL;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations', seed: 'tsx prisma/seed.ts' },
  ...(databaseUrl === undefined ? {} : { datasource: { url: databaseUrl } }),
});
