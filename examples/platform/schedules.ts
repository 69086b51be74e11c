/** What the platform does at certain times. */
import { defineSchedules } from '../../src/services/scheduler/schedules.js';
import { removeExpiredSessions } from './expired-sessions.js';
import { stores } from './stores.js';

/** The warmed values live longer than it takes to the next run. */
export const schedules = defineSchedules(stores, {
  'warm-active-users': { cron: '*/30 * * * *', warm: 'profiles' },
  'warm-active-projects': { cron: '*/30 * * * *', warm: 'projectDetails' },
  'warm-dashboards': { cron: '*/2 * * * *', warm: 'dashboards', missed: 'skip' },
  'warm-platform-statistics': { cron: '0 */6 * * *', warm: 'platformStatistics' },
  'remove-expired-sessions': { cron: '0 3 * * *', run: removeExpiredSessions },
});
