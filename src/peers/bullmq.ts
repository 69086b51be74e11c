/** BullMQ: queues, and the workers of their jobs. */
import { peer } from './peer.js';

export const bullmq = peer<typeof import('bullmq')>('bullmq');
