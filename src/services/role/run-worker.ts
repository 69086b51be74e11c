/** The life of a worker process: configure, start, tell pm2, and stop on SIGINT or SIGTERM. */
import { type Config, readConfig } from '../../config.js';
import { isForebayError } from '../../errors.js';
import { createLogger, type Logger } from '../../logger.js';
import { giveSignsOfLife } from './alive.js';
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
  try {
    const config = readConfig();
    logger.level = config.logLevel;
    const service = create(config, logger);
    stopOnSignals(service, logger);
    await service.start();
  } catch (error) {
    // It was told to stop meanwhile.
    if (isForebayError(error, 'CLOSED')) return;
    logger.fatal({ error }, 'could not start');
    process.exit(1);
  }
  // Since the process began; until its modules were there, and until it was at work.
  logger.info({ importMs, startMs: Math.round(performance.now()) }, 'ready');
  process.send?.('ready');
  giveSignsOfLife();
}

function stopOnSignals(service: Service, logger: Logger): void {
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    await service.stop(stopDeadlineMs);
    logger.info('stopped');
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
