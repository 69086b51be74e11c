/** A write-behind worker in a process of its own, which tells what it uses. */
import { createPrisma } from '../examples/platform/prisma.js';
import { readConfig, requireDatabaseUrl, type Stores } from '../src/index.js';
import { WriteBehindService } from '../src/worker.js';
import { serve } from './serve.js';
import { cpuMsSince } from './write-behind/in-flight.js';

export interface WorkerHandlers {
  /** Since the process began, in ms. */
  cpuMs(): Promise<number>;
}

const stopDeadlineMs = 8_000;

/** @param name as the database sees it */
export async function serveWorker(stores: Stores, name: string): Promise<void> {
  const config = readConfig();
  const { connections } = config.worker;
  const prisma = createPrisma(requireDatabaseUrl(config), { connections, name });
  const service = new WriteBehindService({ stores, prisma, config, emit: () => undefined });
  await service.start();
  const handlers: WorkerHandlers = { cpuMs: async () => cpuMsSince() };
  serve(handlers, async () => {
    await service.stop(stopDeadlineMs);
    await prisma.$disconnect();
  });
}
