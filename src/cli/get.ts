/** `forebay get`: what a read gives now, without loading anything into the cache. */

import { decodePayload } from '../cache/entry/payload.js';
import { parseEntryContent } from '../cache/entry/value-entry.js';
import { jsonOf } from '../definitions/private-fields.js';
import { defaultSerializer } from '../definitions/serializer.js';
import { cacheEntryKey } from '../keys.js';
import type { RecordWhereabouts } from '../operations/where.js';
import type { Call, Io } from './command.js';
import { type Look, lookFor } from './whereabouts.js';

/** What there is, and where it is from. */
interface Got {
  readonly from: 'pending' | 'cache' | 'database' | 'nowhere';
  /** As a person is told. */
  readonly answer: string;
  /** JSON; undefined: not known, or not to be shown. */
  readonly value?: unknown;
}

/** Returns the exit code: 1 when there is nothing. @throws as `lookFor` */
export async function get(call: Call, io: Io): Promise<number> {
  const what = call.words[0] as string;
  return lookFor(what, call, io, async (look) => {
    const got =
      look.found.kind === 'value' ? await cachedValue(look, look.found.key) : recordOf(look, look.found);
    if (call.has('json')) io.out.write(`${JSON.stringify({ what, ...got }, null, 2)}\n`);
    else {
      io.err.write(`${got.answer}\n`);
      if (got.value !== undefined) io.out.write(`${JSON.stringify(got.value, null, 2)}\n`);
    }
    return got.from === 'nowhere' ? 1 : 0;
  });
}

async function cachedValue({ found, redis, prefix }: Look, key: string): Promise<Got> {
  const { value } = parseEntryContent(await redis.get(cacheEntryKey(prefix, key)));
  if (value === undefined) return { from: 'nowhere', answer: found.answer };
  return { from: 'cache', answer: found.answer, value: await decoded(value.payload) };
}

/** A store with a serializer of its own has another text. */
async function decoded(payload: string): Promise<unknown> {
  try {
    return plain(await decodePayload(payload, defaultSerializer));
  } catch {
    return payload;
  }
}

/** As JSON shows it: what JSON does not have, as text. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `${one}` : one)) ?? 'null',
  );
}

function recordOf({ stores }: Look, record: RecordWhereabouts): Got {
  const { answer, dirty, sealed, entry, row } = record;
  const pending = dirty ?? sealed;
  const isShown = stores !== undefined;
  const told = isShown
    ? answer
    : `${answer} What it holds is shown with --stores FILE, which says what is private.`;
  if (pending?.does === 'delete' || (pending === undefined && entry?.holds === 'absent'))
    return { from: 'nowhere', answer };
  if (pending !== undefined && pending.does !== 'delta')
    return { from: 'pending', answer: told, ...shown(pending.text) };
  if (entry?.holds === 'row' || entry?.holds === 'value')
    return { from: 'cache', answer: told, ...shown(entry.text) };
  if (row?.isThere) return { from: 'database', answer: told, ...shown(row.text) };
  if (pending !== undefined) return { from: 'pending', answer: `${answer} To be added: ${pending.text}.` };
  return { from: 'nowhere', answer: told };
}

/** A record as the lane has it begins with its version. */
function shown(text: string | undefined): Pick<Got, 'value'> {
  return text === undefined ? {} : { value: JSON.parse(jsonOf(text) ?? text) as unknown };
}
