/** Removes sessions that have expired: through write-behind, so that the database sees few statements. */
import type { Forebay } from '../../src/app/connect.js';
import { isForebayError } from '../../src/errors.js';
import type { RunContext } from '../../src/services/scheduler/schedules.js';
import type { PrismaClient } from './generated/prisma/client.js';
import type { stores } from './stores.js';

type App = Forebay<typeof stores.definitions>;

export interface Removal {
  readonly removed: number;
  /** The database has them as expired, but they were extended, or removed, and that is on its way. */
  readonly kept: number;
}

const pageMax = 1_000;

/** @throws the signal's reason, after the page in hand; as `delete` of a record store */
export async function removeExpiredSessions({
  app,
  prisma,
  signal,
  progress,
}: RunContext<typeof stores.definitions, PrismaClient>): Promise<Removal> {
  const now = new Date();
  let [removed, kept] = [0, 0];
  let after: string | undefined;
  do {
    signal.throwIfAborted();
    const page = await listExpired(prisma, now, after);
    const count = await removePage(app, page, now);
    removed += count;
    kept += page.length - count;
    after = page.length < pageMax ? undefined : page.at(-1);
    await progress(removed + kept);
  } while (after !== undefined);
  return { removed, kept };
}

async function listExpired(prisma: PrismaClient, now: Date, after: string | undefined): Promise<string[]> {
  const sessions = await prisma.session.findMany({
    where: { expiresAt: { lt: now }, ...(after && { id: { gt: after } }) },
    select: { id: true },
    orderBy: { id: 'asc' },
    take: pageMax,
  });
  return sessions.map(({ id }) => id);
}

async function removePage(app: App, ids: readonly string[], now: Date): Promise<number> {
  // One load for all whose version is not known yet.
  await app.stores.sessions.getMany(ids);
  const results = await Promise.all(ids.map((id) => removeOne(app, id, now)));
  return results.filter(Boolean).length;
}

/** What the app has accepted counts, not what the database has; and what comes in between wins. */
async function removeOne({ stores: { sessions } }: App, id: string, now: Date): Promise<boolean> {
  const { row, version } = await sessions.getVersioned(id);
  if (row === null || row.expiresAt >= now) return false;
  try {
    await sessions.deleteIf(id, { version, onFull: 'wait' });
    return true;
  } catch (error) {
    if (isForebayError(error, 'CONFLICT')) return false;
    throw error;
  }
}
