/** `npm run bench -- NAME`: see `--help`, or arguments.ts. */
import { writeFile } from 'node:fs/promises';
import { abortOnSignals, explanation, Interruption } from '../dev/command.js';
import { acquireServices } from '../dev/services/acquire.js';
import { type BenchArguments, helpText, parseBenchArguments } from './arguments.js';
import type { Bench, BenchResult } from './bench.js';
import { changes } from './changes.js';
import { compare } from './compare.js';
import { deletes } from './deletes.js';
import { BenchError } from './errors.js';
import { latency } from './latency.js';
import { leaks } from './leaks.js';
import { describeMachine, type Machine, readMachine } from './machine.js';
import { enterPlace } from './place.js';
import { profile } from './profile.js';
import { ProgressLine } from './progress-line.js';
import { read } from './read.js';
import { refresh } from './refresh.js';
import { replay } from './replay.js';
import { scale } from './scale.js';
import { tenants } from './tenants.js';
import { together } from './together.js';
import { upsertMany } from './upsert-many.js';
import { warming } from './warming.js';
import { writeBehind } from './write-behind.js';

/** A bench for each question, by the name that the command line takes. */
const benches: Readonly<Record<string, Bench>> = {
  'write-behind': writeBehind,
  latency,
  read,
  refresh,
  warming,
  replay,
  'upsert-many': upsertMany,
  changes,
  scale,
  tenants,
  together,
  deletes,
  profile,
  leaks,
};

process.exitCode = await main(process.argv.slice(2));

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const progress = new ProgressLine(process.stderr);
  try {
    const parsed = parseBenchArguments(args, Object.keys(benches));
    if ('help' in parsed) {
      process.stdout.write(helpText(benches));
      return 0;
    }
    const controller = new AbortController();
    abortOnSignals(controller);
    const { signal } = controller;
    if ('revision' in parsed) {
      process.stdout.write(`${await compare(parsed, progress, signal)}\n`);
      return 0;
    }
    const bench = benches[parsed.name] as Bench;
    return (await measure(bench, parsed, progress, signal)) ? 0 : 1;
  } catch (error) {
    return explain(error);
  }
}

async function measure(
  bench: Bench,
  order: BenchArguments,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<boolean> {
  const services = await acquireServices({ say: (line) => progress.note(line) });
  try {
    void services.lost.then((reason) => progress.note(reason));
    const place = await enterPlace(services);
    try {
      const machine = await readMachine(place);
      process.stdout.write(`${describeMachine(machine)}\n`);
      const result = await bench.run({
        place,
        progress,
        signal,
        scale: order.scale,
        requests: order.requests,
      });
      progress.clear();
      await show(order, machine, result);
      return result.isCorrect;
    } finally {
      progress.clear();
      await place.leave();
    }
  } finally {
    await services.release();
  }
}

async function show(
  { name, scale, json }: BenchArguments,
  machine: Machine,
  result: BenchResult,
): Promise<void> {
  process.stdout.write(`${result.page}\n`);
  if (json === undefined) return;
  const content = { bench: name, measuredAt: new Date().toISOString(), machine, scale, ...result.data };
  await writeFile(json, `${JSON.stringify(content, null, 2)}\n`);
}

function explain(error: unknown): number {
  if (error instanceof Interruption) return error.exitCode;
  process.stderr.write(`bench: ${explanation(error)}\n`);
  return error instanceof BenchError && error.code === 'BAD_ARGUMENT' ? 2 : 1;
}
