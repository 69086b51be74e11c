/** `npm run verify`: see `--help`, or arguments.ts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ProgressLine } from '../bench/progress-line.js';
import { count } from '../bench/text-table.js';
import { abortOnSignals, explanation, Interruption } from '../dev/command.js';
import { helpText, parseVerifyArguments, type VerifyArguments } from './arguments.js';
import { VerifyError } from './errors.js';
import { enterPlace, type Place } from './place/place.js';
import { Recovery } from './recovery.js';
import { reportTables, reportViolation } from './report.js';
import { type RoundResult, runRound } from './round.js';
import { Tally } from './tally.js';

/** Of one run; the tables have the number of all. */
const violationsShownMax = 5;

// What a fault has left open must not keep the process alive.
process.exit(await main(process.argv.slice(2)));

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const parsed = parseVerifyArguments(args);
    if ('help' in parsed) {
      process.stdout.write(helpText);
      return 0;
    }
    return (await verify(parsed)) ? 0 : 1;
  } catch (error) {
    if (error instanceof Interruption) return error.exitCode;
    process.stderr.write(`verify: ${explanation(error)}\n`);
    return error instanceof VerifyError && error.code === 'BAD_ARGUMENT' ? 2 : 1;
  }
}

/** Whether nothing was violated. */
async function verify(order: VerifyArguments): Promise<boolean> {
  const controller = new AbortController();
  abortOnSignals(controller);
  const progress = new ProgressLine(process.stderr);
  const folder = order.folder ?? (await mkdtemp(path.join(tmpdir(), 'forebay-verify-')));
  const recovery = new Recovery();
  const tally = new Tally();
  const place = await enterPlace(folder, (message, slot) => {
    if (message.kind === 'event') recovery.event(slot.processName, message);
  });
  process.stdout.write(`seed ${order.seed}, ${order.minutes} minutes, in ${folder}\n`);
  try {
    await runRounds(order, { place, recovery, tally, progress, signal: controller.signal });
  } finally {
    progress.clear();
    await place.leave();
    process.stdout.write(`${reportTables(tally, recovery)}\n`);
  }
  const isClean = tally.violations.length === 0 && crashesOf(place) === 0;
  if (isClean && order.folder === undefined) await rm(folder, { recursive: true });
  process.stdout.write(
    isClean
      ? 'Nothing was violated, and no process ended by itself.\n'
      : `Repeat it with --seed ${order.seed}.\n`,
  );
  return isClean;
}

interface Run {
  readonly place: Place;
  readonly recovery: Recovery;
  readonly tally: Tally;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
}

async function runRounds({ minutes, seed }: VerifyArguments, run: Run): Promise<void> {
  const { place, recovery, tally, progress, signal } = run;
  const endAt = Date.now() + minutes * 60_000;
  const version = await place.redis.version();
  const canFsync = version.localeCompare('7.2', 'en', { numeric: true }) >= 0;
  const timer = setInterval(() => progress.detail(progressText(run, endAt)), 500);
  try {
    for (let round = 1; Date.now() < endAt; round++) {
      signal.throwIfAborted();
      progress.step(`round ${round}  ${progressText(run, endAt)}`);
      const result = await runRound(round, { place, recovery, seed, canFsync });
      tally.add(result);
      showViolations(round, result, tally);
    }
  } finally {
    clearInterval(timer);
  }
}

function progressText({ recovery, tally, place }: Run, endAt: number): string {
  const faults = [...recovery.counts.values()].reduce((sum, number) => sum + number, 0);
  const crashes = crashesOf(place);
  const minutes = Math.max(0, (endAt - Date.now()) / 60_000).toFixed(1);
  const ended = crashes === 0 ? '' : `  processes that ended by themselves ${crashes}`;
  return `${minutes} min left  faults ${count(faults)}  operations ${count(tally.operations)}  violations ${count(tally.violations.length)}${ended}`;
}

/** A process that is at work ends by no fault of the servers or of the network. */
function crashesOf({ apps, workers }: Place): number {
  return [...apps, ...workers].reduce((sum, slot) => sum + slot.crashes, 0);
}

function showViolations(round: number, { violations, history, plan }: RoundResult, tally: Tally): void {
  const before = tally.violations.length - violations.length;
  for (const violation of violations.slice(0, Math.max(0, violationsShownMax - before)))
    process.stdout.write(`round ${round} (${plan.kind}): ${reportViolation(violation, history.ops)}\n`);
}
