/** A child process: the real change worker, which sends its events. The publication is there. */
import { createPrisma } from '../../examples/platform/prisma.js';
import { stores } from '../../examples/platform/stores.js';
import { readConfig, requireDatabaseUrl } from '../../src/config.js';
import { ChangesService } from '../../src/services/changes/changes.js';

const config = readConfig();
const databaseUrl = requireDatabaseUrl(config);
const prisma = createPrisma(databaseUrl, { connections: 2, name: 'change-worker' });
const emit = ({ type }: { type: string }): void => void process.send?.(type);
await new ChangesService({ stores, prisma, databaseUrl, config, emit }).start();
process.send?.('ready');
