/** A write-behind worker, that tells the driver what it does. */
import { createPrisma } from '../examples/platform/prisma.js';
import { readConfig, requireDatabaseUrl } from '../src/config.js';
import { messageOf } from '../src/errors.js';
import type { ForebayEvent } from '../src/events.js';
import { WriteBehindService } from '../src/services/write-behind/write-behind.js';
import { nowUs } from './history.js';
import type { FromWorker } from './messages.js';
import { stores } from './stores.js';

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 4, name: 'verify-worker' });
const service = new WriteBehindService({ stores, prisma, config, emit });
await service.start();
tell({ kind: 'ready' });
process.on('disconnect', () => process.exit(0));

function emit(event: ForebayEvent): void {
  const lane = 'lane' in event ? event.lane : '';
  const text = 'error' in event ? messageOf(event.error) : '';
  tell({ kind: 'event', type: event.type, lane, text, at: nowUs() });
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}
