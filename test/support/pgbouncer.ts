/** PgBouncer before a Postgres, where the machine has the program. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../dev/services/ports.js';

export const hasPgBouncer = spawnSync('pgbouncer', ['--version']).status === 0;

export interface PgBouncer {
  /** As `databaseUrl`, through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startPgBouncer(
  databaseUrl: string,
  mode: 'transaction' | 'statement' = 'transaction',
): Promise<PgBouncer> {
  const server = new URL(databaseUrl);
  const folder = mkdtempSync(path.join(tmpdir(), 'forebay-pgbouncer-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const password = decodeURIComponent(server.password).replaceAll("'", "''");
  writeFileSync(
    path.join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${server.hostname} port=${server.port || 5432} user=${decodeURIComponent(server.username)} password='${password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 3
`,
  );
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const program = spawn('pgbouncer', [...user, path.join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await untilItListens(program);
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.toString(),
    async stop() {
      const ended = once(program, 'exit');
      program.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

async function untilItListens(program: ChildProcess): Promise<void> {
  let said = '';
  for await (const chunk of program.stderr ?? []) {
    said += String(chunk);
    if (!said.includes('process up')) continue;
    program.stderr?.resume();
    return;
  }
  throw new Error(`PgBouncer does not start: ${said}`);
}
