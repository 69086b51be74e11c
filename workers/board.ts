/** pm2 app: Bull Board over forebay's queues. */
import { BoardService, logEvents, runWorker } from '../src/worker.js';

await runWorker('board', (config, logger) => new BoardService({ config, emit: logEvents(logger) }));
