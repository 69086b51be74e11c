/** pino: the workers' logs. */
import { peer } from './peer.js';

export const { pino } = peer<typeof import('pino')>('pino');
