/** `forebay refused`: what the database refused lately, grouped by what it said. */
import { withoutDetail } from '../definitions/private-fields.js';
import { duration } from '../operations/duration.js';
import { type LetterGroup, searchLetters } from '../operations/letter-search.js';
import { Places } from '../operations/places.js';
import type { Io } from './command.js';
import { table } from './table.js';
import { withConnections } from './with-connections.js';

export interface RefusedOptions {
  readonly isJson: boolean;
  /** How far back; undefined: all there is. */
  readonly sinceMs: number | undefined;
}

/** @throws ForebayError REDIS_UNAVAILABLE */
export async function refused(store: string | undefined, io: Io, options: RefusedOptions): Promise<void> {
  const { prefix, redis: settings } = io.config();
  const { isJson, sinceMs } = options;
  const since = sinceMs === undefined ? undefined : new Date(Date.now() - sinceMs);
  await withConnections({ redis: [settings, 'reads'] }, async ({ redis }) => {
    const places = await Places.read(redis, prefix);
    const { letters, groups: found, isCut } = await searchLetters({ store, since }, { redis, places });
    const groups = found.map(withoutRows);
    if (isJson) io.out.write(`${JSON.stringify({ count: letters.length, isCut, groups }, null, 2)}\n`);
    else io.out.write(groups.length === 0 ? 'Nothing was refused.\n' : groupTable(groups));
    if (isCut) io.err.write('There are more than these: only some were looked at.\n');
  });
}

/** Which of a row's values are private, only the definitions know. */
function withoutRows(group: LetterGroup): LetterGroup {
  return { ...group, error: { ...group.error, message: withoutDetail(group.error.message) } };
}

function groupTable(groups: readonly LetterGroup[]): string {
  const now = Date.now();
  const ago = (time: Date): string => `${duration(now - time.getTime())} ago`;
  const rows = groups.map(({ store, count, first, last, error }) => [
    store,
    `${count}`,
    ago(first),
    ago(last),
    error.state,
    error.message.split('\n', 1)[0] as string,
  ]);
  return table([['store', 'records', 'first', 'last', 'SQLSTATE', 'the database says'], ...rows]);
}
