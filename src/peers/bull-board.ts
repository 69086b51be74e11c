/** Bull Board: the queues' pages. */
import { peer } from './peer.js';

export const { createBullBoard } = peer<typeof import('@bull-board/api')>('@bull-board/api');
export const { BullMQAdapter } = peer<typeof import('@bull-board/api/bullMQAdapter')>(
  '@bull-board/api/bullMQAdapter',
);
export const { HonoAdapter } = peer<typeof import('@bull-board/hono')>('@bull-board/hono');
