/** An app and a write-behind worker in this process, for benches that compare ways of writing with each other. */
import { connect, type Forebay } from '../src/app/connect.js';
import { readConfig } from '../src/config.js';
import type { Definitions, Stores } from '../src/definitions/stores.js';
import { WriteBehindService } from '../src/worker.js';
import type { Place } from './place.js';

const stopDeadlineMs = 5_000;

/** Both for as long as `use` takes. */
export async function withAppAndWorker<D extends Definitions, T>(
  stores: Stores<D>,
  { prisma, env }: Place,
  use: (app: Forebay<D>) => Promise<T>,
): Promise<T> {
  const config = readConfig(env);
  const worker = new WriteBehindService({ stores, prisma, config, emit: () => undefined });
  await worker.start();
  const app = await connect(stores, { prisma, config, cache: { l1: false } });
  try {
    return await use(app);
  } finally {
    await app.close();
    await worker.stop(stopDeadlineMs);
  }
}
