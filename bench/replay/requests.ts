/** The requests that are replayed: a recording, or drawn with the same numbers. */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { reasonOf } from '../../dev/reason.js';
import { BenchError } from '../errors.js';
import { zipf } from '../write-behind/zipf.js';

/** As many as the recording of a web shop that the figures come from has. */
const drawn = { requests: 95_607, ids: 13_756, exponent: 0.99 };

export interface Requests {
  /** For people. */
  readonly source: string;
  readonly ids: readonly string[];
}

/** @param file an id a line, gzipped or not. @throws BenchError BAD_ARGUMENT */
export async function readRequests(file: string | undefined, scale: number): Promise<Requests> {
  const all = file === undefined ? drawRequests() : await recorded(file);
  return { source: all.source, ids: all.ids.slice(0, Math.ceil(all.ids.length * scale)) };
}

async function recorded(file: string): Promise<Requests> {
  const ids = (await readText(file)).split(/\r?\n/).filter((id) => id !== '');
  if (ids.length === 0) throw new BenchError('BAD_ARGUMENT', `--requests ${file} has no ids, one a line.`);
  return { source: 'recorded requests', ids };
}

async function readText(file: string): Promise<string> {
  try {
    const content = await readFile(file);
    return (content[0] === 0x1f ? gunzipSync(content) : content).toString();
  } catch (error) {
    throw new BenchError('BAD_ARGUMENT', `Can't read --requests ${file}: ${reasonOf(error)}.`, error);
  }
}

function drawRequests(): Requests {
  let state = 1;
  // Park and Miller, "Random number generators: good ones are hard to find", CACM 31(10), 1988: the same draws in each run.
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const draw = zipf({ items: drawn.ids, exponent: drawn.exponent, random });
  return {
    source: `requests drawn by Zipf's law (${drawn.exponent})`,
    ids: Array.from({ length: drawn.requests }, () => String(draw())),
  };
}
