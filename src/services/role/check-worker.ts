/** What a worker is given: looked at before anything is opened. */
import { checkDatabase, checkStores } from '../../app/check-parts.js';
import { type Config, checkConfig } from '../../config.js';
import type { Database } from '../../database/database.js';
import type { Stores } from '../../definitions/stores.js';
import type { Emit } from '../../events.js';
import { checkFunction, checkObject } from '../../given.js';

interface WorkerOptions {
  readonly stores: Stores;
  readonly prisma: Database;
  readonly config: Pick<Config, 'prefix' | 'redis'>;
  readonly emit: Emit;
}

/** Returns them. @throws ForebayError INVALID_VALUE, INVALID_CONFIG */
export function checkWorker<Options extends WorkerOptions>(options: Options): Options {
  checkObject('The options of a worker', options);
  const { stores, prisma, config, emit } = options;
  checkStores(stores);
  checkDatabase(prisma, stores);
  checkObject('config', config);
  checkConfig({ queueRedis: config.redis, ...config });
  checkFunction('emit', emit);
  return options;
}
