/** When it is computed. Every second, so that the example is quick: `0 * * * *` is every hour. */
import { defineSchedules } from 'forebay/worker';
import { stores } from './stores.js';

export const schedules = defineSchedules(stores, {
  'warm-statistics': { cron: '* * * * * *', warm: 'statistics', missed: 'skip' },
});
