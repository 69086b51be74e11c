/** The life of a worker process: configure, start, tell pm2, and stop on SIGINT or SIGTERM. */
import { type Config, readConfig } from '../../config.js';
import { isForebayError } from '../../errors.js';
import { logEvents } from '../../event-log.js';
import { createLogger, type Logger } from '../../logger.js';
import { giveSignsOfLife } from './alive.js';
import { ProcessHealth } from './process-health.js';
import type { Service } from './service.js';

/** Within pm2's `kill_timeout` of 10 s. */
const stopDeadlineMs = 8_500;

/**
 * Runs until a signal comes. What keeps it from starting is logged, and ends the process with exit code 1.
 */
export async function runWorker(
  name: string,
  create: (config: Config, logger: Logger) => Service,
): Promise<void> {
  const importMs = Math.round(performance.now());
  const logger = createLogger({ name, level: 'info' });
  let health: ProcessHealth | undefined;
  try {
    const config = readConfig();
    logger.level = config.logLevel;
    const service = create(config, logger);
    health = new ProcessHealth({ name, service, config, emit: logEvents(logger) });
    await health.start();
    stopOnSignals(service, health, logger);
    await service.start();
    await health.measure();
  } catch (error) {
    // It was told to stop meanwhile.
    if (isForebayError(error, 'CLOSED')) return;
    logger.fatal({ error }, 'could not start');
    await health?.stop();
    process.exit(1);
  }
  // Since the process began; until its modules were there, and until it was at work.
  const took = { importMs, startMs: Math.round(performance.now()) };
  logger.info({ ...took, ...(health.url === undefined ? {} : { health: health.url }) }, 'ready');
  process.send?.('ready');
  giveSignsOfLife();
}

function stopOnSignals(service: Service, health: ProcessHealth, logger: Logger): void {
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    await service.stop(stopDeadlineMs);
    await health.stop();
    logger.info('stopped');
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
