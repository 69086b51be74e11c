/** The life of a worker process: configure, start, tell pm2, and stop on SIGINT or SIGTERM. */
import { type Config, readConfig } from '../../config.js';
import { isForebayError } from '../../errors.js';
import { logEvents } from '../../event-log.js';
import { createLogger, type Logger } from '../../logger.js';
import { HealthServer } from '../../vitals/health-server.js';
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
  const logger = createLogger({ name, level: 'info' });
  let server: HealthServer | undefined;
  try {
    const config = readConfig();
    logger.level = config.logLevel;
    const service = create(config, logger);
    server = await serveHealth(name, { service, config, logger });
    stopOnSignals(service, server, logger);
    await service.start();
  } catch (error) {
    // It was told to stop meanwhile.
    if (isForebayError(error, 'CLOSED')) return;
    logger.fatal({ error }, 'could not start');
    await server?.stop();
    process.exit(1);
  }
  logger.info(server?.url === undefined ? {} : { health: server.url }, 'ready');
  process.send?.('ready');
}

/** From before the start, so that it can be asked what a start waits for. */
async function serveHealth(
  name: string,
  { service, config, logger }: { service: Service; config: Config; logger: Logger },
): Promise<HealthServer | undefined> {
  const { health } = service;
  const place = config.health;
  if (place === undefined || health === undefined) return undefined;
  const server = new HealthServer({ name, place, health, pages: {}, emit: logEvents(logger) });
  await server.start();
  return server;
}

function stopOnSignals(service: Service, server: HealthServer | undefined, logger: Logger): void {
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    logger.info({ signal }, 'stopping');
    await service.stop(stopDeadlineMs);
    await server?.stop();
    logger.info('stopped');
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
