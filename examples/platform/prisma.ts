/** The platform's Prisma client. */
import { createPrismaAdapter, type PrismaAdapterOptions } from '../../src/connection/postgres.js';
import { PrismaClient } from './generated/prisma/client.js';

export function createPrisma(databaseUrl: string, options: PrismaAdapterOptions): PrismaClient {
  return new PrismaClient({ adapter: createPrismaAdapter(databaseUrl, options) });
}
