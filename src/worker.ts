/** forebay for worker processes. */
export { type BoardOptions, BoardService } from './board/board.js';
export { runWarmCommand, type WarmCommandOptions } from './cli/warm.js';
export { createLogger, type Logger, logEvents } from './logger.js';
export type { AppWorkerOptions } from './services/app-worker.js';
export { RefreshService } from './services/refresh.js';
export { runWorker } from './services/run-worker.js';
export { SchedulerService, type SchedulerServiceOptions } from './services/scheduler.js';
export {
  defineSchedules,
  type FunctionSchedule,
  type RunContext,
  type Schedules,
  type WarmSchedule,
} from './services/schedules.js';
export type { Service } from './services/service.js';
export { WarmService } from './services/warm.js';
export { type WriteBehindOptions, WriteBehindService } from './services/write-behind.js';
