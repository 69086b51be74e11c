/** The worker of the bench. */
import { serveWorker } from '../serve-worker.js';
import { stores } from './stores.js';

await serveWorker(stores, 'bench-scale-worker');
