/** forebay for worker processes. */
export { type BoardOptions, BoardService } from './board/board.js';
export { runWarmCommand, type WarmCommandOptions } from './cli/warm.js';
export { type EventLogger, logEvents } from './event-log.js';
export { createLogger, type Logger } from './logger.js';
export { type ChangesOptions, ChangesService } from './services/changes/changes.js';
export { type ChangesSetup, setUpChanges } from './services/changes/setup.js';
export { RefreshService } from './services/refresh/refresh.js';
export type { AppWorkerOptions } from './services/role/app-role.js';
export { runWorker } from './services/role/run-worker.js';
export type { Service } from './services/role/service.js';
export { SchedulerService, type SchedulerServiceOptions } from './services/scheduler/scheduler.js';
export {
  defineSchedules,
  type FunctionSchedule,
  type RunContext,
  type Schedules,
  type WarmSchedule,
} from './services/scheduler/schedules.js';
export { WarmService } from './services/warm/warm.js';
export { type WriteBehindOptions, WriteBehindService } from './services/write-behind/write-behind.js';
