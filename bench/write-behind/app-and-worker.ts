/** A contestant of two processes: an app that writes, and one worker. */
import { type Child, type Handlers, startChild } from '../child.js';
import type { AppReport } from './app-calls.js';
import type { Carried, Contestant, Mode } from './contestant.js';
import { Listener } from './listener.js';
import type { Workload } from './workload.js';

export interface AppAndWorker<App extends Handlers, Worker extends Handlers> {
  readonly app: Child<App>;
  readonly worker: Child<Worker>;
}

export interface StartedContestant extends Contestant {
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

interface Parts<App extends Handlers, Worker extends Handlers> extends Pick<Contestant, 'name' | 'modes'> {
  /** Paths of their files in `bench`. */
  readonly scripts: { readonly app: string; readonly worker: string };
  carry(processes: AppAndWorker<App, Worker>, workload: Workload, mode: Mode): Promise<Carried>;
}

export async function startAppAndWorker<App extends Handlers, Worker extends Handlers>(
  { name, modes, scripts, carry }: Parts<App, Worker>,
  options: StartOptions,
): Promise<StartedContestant> {
  const accepted = new Listener<AppReport>();
  const worker = await startChild<Worker>(scripts.worker, options);
  try {
    const onReport = (report: AppReport): void => accepted.tell(report);
    const app = await startChild<App, AppReport>(scripts.app, { ...options, onReport });
    return {
      name,
      modes,
      carry(workload, mode, onAccepted) {
        accepted.listen(onAccepted);
        return carry({ app, worker }, workload, mode);
      },
      async stop() {
        await app.stop();
        await worker.stop();
      },
    };
  } catch (error) {
    await worker.stop();
    throw error;
  }
}
