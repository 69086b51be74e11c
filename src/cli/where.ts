/** `forebay where`: where a write is. */
import { duration } from '../operations/duration.js';
import type { RecordWhereabouts, Whereabouts } from '../operations/where.js';
import type { Call, Io } from './command.js';
import { table } from './table.js';
import { lookFor } from './whereabouts.js';

/** Returns the exit code: 1 when the database has refused it. @throws as `lookFor` */
export async function where(call: Call, io: Io): Promise<number> {
  return lookFor(call.words[0] as string, call, io, async ({ found }) => {
    io.out.write(call.has('json') ? `${JSON.stringify(found, null, 2)}\n` : textOf(found));
    return isRefused(found) ? 1 : 0;
  });
}

function isRefused(found: Whereabouts): boolean {
  const record = found.kind === 'value' ? found.write : found;
  return record?.state === 'refused';
}

function textOf(found: Whereabouts): string {
  const record = found.kind === 'value' ? found.write : found;
  const facts = record === undefined ? [] : factsOf(record);
  return `${found.answer}\n${facts.length === 0 ? '' : `\n${table(facts)}`}`;
}

function factsOf({ version, entry, dirty, waiting, sealed, deadLetter, row, lane }: RecordWhereabouts) {
  const now = Date.now();
  const ago = (time: Date | undefined) => (time ? `${duration(now - time.getTime())} ago` : 'unknown');
  const facts: [string, string | undefined][] = [
    ['version', version],
    ['entry', entry && `${entry.holds}, for another ${duration(entry.livesForMs)}`],
    ['pending', dirty && `${dirty.does}, accepted ${ago(dirty.since)}`],
    ['waits', waiting && `for another row, for ${duration(waiting.forMs)}`],
    ['batch', sealed && `${sealed.batch}, ${sealed.does}, failed ${sealed.failures} times`],
    ['dead letter', deadLetter && `${deadLetter.state} ${deadLetter.message}, ${ago(deadLetter.refusedAt)}`],
    ['row', row && (row.error ?? (row.isThere ? (row.text ?? 'there') : 'not there'))],
    ['lane', `${lane.name}, version ${lane.version}`],
    ['last flush', lane.lastFlush && `batch ${lane.lastFlush.batch}, ${ago(lane.lastFlush.sealedAt)}`],
    ['ledger', lane.ledger && `batch ${lane.ledger.batch}, ${ago(lane.ledger.appliedAt)}`],
  ];
  return facts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]));
}
