/** The demo from its beginning to its end: right answer, services, workers, replay, drain, comparison. */
import { once } from 'node:events';
import { access, constants, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Interruption } from '../dev/command.js';
import { reasonOf } from '../dev/reason.js';
import { acquireServices } from '../dev/services/acquire.js';
import { migrate } from '../prisma/migrate.js';
import type { Activity } from './activity/commit.js';
import { openActivity } from './activity/open.js';
import { type DemoArguments, projectFolder } from './arguments.js';
import type { Cleanup } from './cleanup.js';
import { compareTables } from './compare.js';
import { DemoError } from './errors.js';
import { counted } from './figures.js';
import { type DemoApp, openApp } from './forebay.js';
import { demoPrefix, enterFreshState } from './fresh-state.js';
import { LiveLine } from './live-line.js';
import { type Answer, computeAnswer } from './oracle.js';
import { startWorkers, type Workers } from './processes.js';
import { replay } from './replay.js';
import { type Run, resultOf, toJson, toPage, wantsColour } from './report.js';
import { Watch } from './watch.js';

export interface DemoContext {
  /** Aborted by Ctrl-C and the like with an Interruption, and when the services are lost. */
  readonly controller: AbortController;
  /** Is run by the caller, whatever comes. */
  readonly cleanup: Cleanup;
  readonly output: NodeJS.WriteStream;
}

type Say = (line: string) => void;

/**
 * Returns whether every row was as it must be.
 * @throws Interruption, DemoError; and what services, migrations and forebay throw
 */
export async function runDemo(args: DemoArguments, context: DemoContext): Promise<boolean> {
  const say: Say = (line) => context.output.write(`${line}\n`);
  await checkJsonPath(args.json);
  const activity = await openActivity(args.source);
  const answer = await computeAnswer(activity, context.controller.signal);
  say(`${counted(answer.commits, 'commit')} in ${activity.description}: ${counted(answer.writes, 'write')}`);
  const { app, workers } = await setTheStage(context, say);
  const result = resultOf(await measure(activity, answer, app, context));
  say(toPage(result, wantsColour(context.output, process.env)));
  if (args.json !== undefined) await writeFile(args.json, toJson(result));
  if (!args.exit) await stayUntilInterrupted(workers, context, say);
  return result.isEqual;
}

async function setTheStage(context: DemoContext, say: Say): Promise<{ app: DemoApp; workers: Workers }> {
  const { cleanup, controller } = context;
  const { databaseUrl, redisUrl } = await setTheGround(context, say);
  const { signal } = controller;
  const processes = await startWorkers({ projectFolder, databaseUrl, redisUrl, prefix: demoPrefix, signal });
  cleanup.add('stop the workers', () => processes.stop());
  const workers = await processes.ready();
  say(
    `${counted(workers.count, 'worker process', 'worker processes')} under pm2, Bull Board at ${workers.boardUrl}`,
  );
  const app = await openApp(databaseUrl, redisUrl);
  cleanup.add('disconnect', () => app.close());
  return { app, workers };
}

/** Services, and in them an empty place of the demo's own. */
async function setTheGround({ controller, cleanup }: DemoContext, say: Say) {
  const services = await acquireServices({ say });
  cleanup.add('release Postgres and Redis', () => services.release());
  void services.lost.then((reason) => controller.abort(new DemoError('SERVICES_LOST', reason)));
  say(services.description);
  controller.signal.throwIfAborted();
  const { redisUrl } = services;
  const place = await enterFreshState(services.databaseUrl, redisUrl);
  cleanup.add("leave the demo's schema", () => place.leave());
  const { databaseUrl } = place;
  await migrate({ databaseUrl });
  controller.signal.throwIfAborted();
  return { databaseUrl, redisUrl };
}

async function measure(activity: Activity, answer: Answer, app: DemoApp, context: DemoContext): Promise<Run> {
  const written = await writeAndDrain(activity, answer, app, context);
  const { persisted, batches } = await app.backlog();
  return {
    ...written,
    activity: activity.description,
    commits: answer.commits,
    rowsWritten: persisted,
    batches,
    tables: await compareTables(answer.tables, app.tables, context.controller.signal),
  };
}

async function writeAndDrain(
  activity: Activity,
  answer: Answer,
  app: DemoApp,
  { controller, output }: DemoContext,
) {
  const { signal } = controller;
  const progress = { commits: 0, accepted: 0 };
  const line = new LiveLine(output, answer.commits);
  const watch = new Watch({
    progress,
    readBacklog: () => app.backlog(),
    onSample: (sample) => line.show(sample),
  });
  const startedAt = performance.now();
  try {
    await replay(activity, app.stores, { signal, progress });
    const acceptedMs = performance.now() - startedAt;
    await unlessAborted(app.drain(), signal);
    const drainedMs = performance.now() - startedAt;
    await watch.stop();
    const { backlogMax, oldestDirtyAgeMsMax } = watch.greatest();
    checkUnchanged(answer, progress.accepted);
    return { writesAccepted: progress.accepted, acceptedMs, drainedMs, backlogMax, oldestDirtyAgeMsMax };
  } finally {
    await watch.stop();
    line.end();
  }
}

/** Leaves `work` alone with itself when the signal comes first: what it needs is about to be closed. */
function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((done, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(done, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function checkUnchanged({ writes }: Answer, accepted: number): void {
  if (accepted === writes) return;
  const message = `The history changed while it was replayed: ${writes} writes at first, then ${accepted}. Run the demo again.`;
  throw new DemoError('ACTIVITY_CHANGED', message);
}

async function checkJsonPath(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await access(dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw new DemoError('BAD_ARGUMENT', `Can't write --json ${path}: ${reasonOf(error)}.`, error);
  }
}

async function stayUntilInterrupted(
  { boardUrl }: Workers,
  { controller }: DemoContext,
  say: Say,
): Promise<void> {
  say(`Bull Board stays at ${boardUrl} until Ctrl-C.`);
  const { signal } = controller;
  if (!signal.aborted) await once(signal, 'abort');
  // Ctrl-C is the expected end; lost services are not.
  if (!(signal.reason instanceof Interruption)) signal.throwIfAborted();
}
