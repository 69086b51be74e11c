/** An app process: its clients call the stores, one call after the other, and record each. */
import path from 'node:path';
import { createPrisma } from '../examples/platform/prisma.js';
import { connect } from '../src/app/connect.js';
import { readConfig, requireDatabaseUrl } from '../src/config.js';
import { messageOf } from '../src/errors.js';
import { Calls } from './calls.js';
import { Client } from './client.js';
import type { FromApp, ToApp, Work } from './messages.js';
import { Recorder } from './recorder.js';
import { RowReader } from './row-reader.js';
import { stores } from './stores.js';

const name = process.env.PROCESS_NAME ?? 'app';
const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 4, name });
const app = await connect(stores, { prisma, config, onEvent: () => undefined });
const rows = new RowReader(process.env.DIRECT_DATABASE_URL ?? '');

let calls: Calls | undefined;
let clients: Client[] = [];
let working: Promise<unknown> = Promise.resolve();

process.on('message', async (message: ToApp) => {
  if (message.kind === 'work') begin(message.work);
  else if (message.kind === 'flush') await flush(message.timeoutMs);
  else if (message.kind === 'read') await readAll(message.keys);
  else await rest();
});
process.on('disconnect', () => process.exit(0));
tell({ kind: 'ready' });

function begin(work: Work): void {
  const recorder = new Recorder(path.join(work.folder, `${name}.jsonl`));
  const made = new Calls({ app, rows, recorder });
  calls = made;
  clients = Array.from({ length: work.clients }, (_, nth) => new Client({ name, nth, work, calls: made }));
  working = Promise.all(clients.map((client) => client.work()));
}

async function rest(): Promise<void> {
  for (const client of clients) client.rest();
  await working;
  await calls?.receipts();
  tell({ kind: 'rested' });
}

async function flush(timeoutMs: number): Promise<void> {
  try {
    await app.flush({ timeoutMs });
    tell({ kind: 'flushed' });
  } catch (error) {
    tell({ kind: 'flushed', error: messageOf(error) });
  }
}

async function readAll(keys: readonly string[]): Promise<void> {
  for (const key of keys) await calls?.read(-1, key);
  tell({ kind: 'read' });
}

function tell(message: FromApp): void {
  process.send?.(message);
}
