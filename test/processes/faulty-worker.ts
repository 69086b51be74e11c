/**
 * The child process of worker-process.ts: the real worker, with a listener that ends or stops the process in place, in the
 * middle of the step that emitted the event.
 */

import { createPrisma } from '../../examples/platform/prisma.js';
import { stores as platform } from '../../examples/platform/stores.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import type { ForebayEvent } from '../../src/events.js';
import { WriteBehindService } from '../../src/services/write-behind/write-behind.js';
import { stores as orders } from '../support/orders.js';
import { type Fault, faultExitCode } from './messages.js';

const fault = JSON.parse(process.env.FAULT ?? 'null') as Fault | null;
let isFaultDue = fault !== null;

const config = readConfig();
const prisma = createPrisma(requireDatabaseUrl(config), { connections: 4, name: 'faulty-worker' });
const stores = process.env.STORES === 'orders' ? orders : platform;
const service = new WriteBehindService({ stores, prisma, config, emit });
await service.start();
process.send?.('ready');

function emit(event: ForebayEvent): void {
  const plain = 'error' in event ? { ...event, error: String(event.error) } : event;
  if (!isFaultDue || event.type !== fault?.at) {
    process.send?.(plain);
    return;
  }
  isFaultDue = false;
  if (fault.action === 'exit') process.exit(faultExitCode);
  if (fault.action === 'kill') process.kill(process.pid, 'SIGKILL');
  process.send?.(plain);
  process.kill(process.pid, 'SIGSTOP');
}
