/** What becomes of what a replay wrote. */
import { isForebayError } from '../../src/errors.js';
import type { ActivityReplay, ReplayEntry } from './activity-replay.js';
import { lastStateAgain } from './replayed-rows.js';

const endsWithin = { timeoutMs: 120_000 };

/**
 * How each write ends that was accepted, by its receipt. What is lost is written again, as that says, for others may wait for
 * these rows; and all of it is in the database then.
 */
export async function endsOfReceipts(replay: ActivityReplay): Promise<Map<ReplayEntry, string>> {
  const ends = new Map<ReplayEntry, string>();
  const repaired = new Set<string>();
  const endOf = async (row: string, entries: readonly ReplayEntry[], entry: ReplayEntry): Promise<void> => {
    const end = await endOfReceipt(entry);
    ends.set(entry, end);
    if (end !== 'WRITE_LOST' || repaired.has(row)) return;
    repaired.add(row);
    replay.write(lastStateAgain(entries));
  };
  const looks = [...replay.rows].flatMap(([row, entries]) =>
    entries.map((entry) => endOf(row, entries, entry)),
  );
  await Promise.all(looks);
  await replay.answered();
  const again = [...replay.rows.values()].flat().filter((entry) => !ends.has(entry));
  for (const entry of again) ends.set(entry, await endOfReceipt(entry));
  return ends;
}

async function endOfReceipt({ receipt }: ReplayEntry): Promise<string> {
  if (receipt === undefined) return 'in doubt';
  const code = (error: unknown): string => (isForebayError(error) ? error.code : String(error));
  return receipt.persisted(endsWithin).then(() => 'persisted', code);
}
