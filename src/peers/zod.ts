/** zod: what jobs, processes and pm2's files must look like. */
import { peer } from './peer.js';

export const z: typeof import('zod') = peer('zod');
