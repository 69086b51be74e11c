/** `npm stop`: ends what `npm start` has started. */
import { endProcesses } from './pm2.js';

const count = await endProcesses();
process.stdout.write(count === 0 ? 'Nothing runs.\n' : `${count} processes ended.\n`);
