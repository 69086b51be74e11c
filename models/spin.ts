/** Runs one exhaustive search of a model with Spin (https://spinroot.com): the model becomes a C program, which visits every state. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Search } from './searches.js';

const run = promisify(execFile);
/** Deeper than any search goes; a search that reaches it says that it was not complete. */
const depthMax = 300_000;
const outputMax = 64 * 1_048_576;

export interface Outcome {
  readonly states: number;
  readonly ms: number;
  /** What was violated; undefined: nothing was, in all states. */
  readonly violation: string | undefined;
}

/** @throws when the search could not be completed */
export async function search({ model, defines }: Search): Promise<Outcome> {
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-model-'));
  try {
    const options = { cwd: folder, maxBuffer: outputMax };
    const file = path.join(import.meta.dirname, `${model}.pml`);
    await run('spin', ['-a', ...defines.map((define) => `-D${define}`), file], options);
    await run('gcc', ['-O2', '-w', '-DSAFETY', '-DCOLLAPSE', '-o', 'pan', 'pan.c'], options);
    const startedAt = performance.now();
    const { stdout } = await run('./pan', [`-m${depthMax}`, '-w24'], options);
    return toOutcome(stdout, performance.now() - startedAt);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function toOutcome(report: string, ms: number): Outcome {
  const states = Number(/^ *(\d+) states, stored/m.exec(report)?.[1]);
  const errors = Number(/errors: (\d+)/.exec(report)?.[1]);
  const violation = /^pan:1: (.*) \(at depth \d+\)/m.exec(report)?.[1];
  const isIncomplete = errors === 0 && /Search not completed|max search depth too small/.test(report);
  if (!Number.isInteger(states) || isIncomplete) throw new Error(`The search was not complete:\n${report}`);
  return { states, ms, violation: errors > 0 ? (violation ?? 'an error') : undefined };
}
