/** The history of a round, from the files of its processes. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Op } from './history.js';

type Line = Partial<Op> & { readonly n: number };

export async function readOps(folder: string): Promise<Op[]> {
  const ops: Op[] = [];
  for (const file of await readdir(folder))
    if (file.endsWith('.jsonl')) ops.push(...(await readFileOps(path.join(folder, file))));
  return ops;
}

async function readFileOps(file: string): Promise<Op[]> {
  const process = path.basename(file, '.jsonl');
  const calls = new Map<number, Op>();
  for await (const text of createInterface({ input: createReadStream(file) })) {
    const line = parse(text);
    if (line === undefined) continue;
    const { n, ...facts } = line;
    calls.set(n, { ...calls.get(n), process, ...facts } as Op);
  }
  return [...calls.values()];
}

/** The last line of a process that was killed may be half a line. */
function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
