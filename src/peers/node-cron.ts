/** node-cron: the words of cron, and the beat of schedules. */
import { peer } from './peer.js';

export const { createTask, parse, validateDetailed } = peer<typeof import('node-cron')>('node-cron');
