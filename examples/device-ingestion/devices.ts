/** The state of devices, in a table of its own that no Prisma model has: with a load and persist of one's own. */
import { type Database, defineStores, record } from 'forebay';
import type { PrismaClient } from '../platform/generated/prisma/client.js';

export interface Device {
  id: string;
  celsius: number;
  /** How often it has told. */
  messages: number;
}

export async function createTable(prisma: Pick<PrismaClient, '$executeRawUnsafe'>): Promise<void> {
  await prisma.$executeRawUnsafe(
    'CREATE TABLE IF NOT EXISTS devices (id text PRIMARY KEY, celsius float8 NOT NULL, messages int NOT NULL)',
  );
}

/** The stores of an app, and of its workers, each with a Prisma client of its own. */
export function deviceStores(prisma: Database & Pick<PrismaClient, '$queryRawUnsafe'>) {
  return defineStores({
    devices: record<Device, 'id'>({
      id: 'id',
      load: (ids) =>
        prisma.$queryRawUnsafe<Device[]>('SELECT id, celsius, messages FROM devices WHERE id = ANY($1)', ids),
      persist: async ({ puts, deletes }, tx) => {
        if (deletes.length > 0) await tx.$executeRawUnsafe('DELETE FROM devices WHERE id = ANY($1)', deletes);
        if (puts.length > 0) await tx.$executeRawUnsafe(upsert, JSON.stringify(puts));
      },
    }),
  });
}

const upsert = `
  INSERT INTO devices (id, celsius, messages)
  SELECT id, celsius, messages FROM json_to_recordset($1::json) AS device (id text, celsius float8, messages int)
  ON CONFLICT (id) DO UPDATE SET celsius = excluded.celsius, messages = excluded.messages`;
