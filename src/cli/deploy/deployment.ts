/**
 * A deploy under pm2: the processes of the new build are started beside the old ones, and only when all of
 * them are ready and have stayed so for a while, the old ones go. Whatever goes wrong before, the new ones go
 * and the old ones stay as they are; and after, the old ones are started again.
 */
import { ForebayError, messageOf } from '../../errors.js';
import { pause } from '../../pause.js';
import type { DeployApp } from './ecosystem.js';
import type { Pm2, Pm2Process } from './pm2.js';

export interface DeploymentOptions {
  readonly pm2: Pm2;
  readonly apps: readonly DeployApp[];
  /** For so long the new processes must stay, once all are ready. */
  readonly settleMs: number;
  readonly say: (line: string) => void;
  /** Aborted: the deploy is to be undone. */
  readonly signal: AbortSignal;
}

interface NewProcess {
  readonly id: number;
  readonly name: string;
}

/** For news of a process that pm2 has seen already: its bus and its answers are two connections. */
const newsMs = 1_000;
const lookMs = 50;
const answerMs = 3_000;

export class Deployment {
  readonly #options: DeploymentOptions;
  readonly #started: NewProcess[] = [];
  readonly #stopped: Pm2Process[] = [];

  constructor(options: DeploymentOptions) {
    this.#options = options;
  }

  /** @throws ForebayError DEPLOY_REFUSED: all is as it was before */
  async run(): Promise<void> {
    const { pm2, apps, say } = this.#options;
    const names = new Set(apps.map(({ name }) => name));
    const old = (await pm2.list()).filter(({ name }) => names.has(name));
    try {
      for (const app of apps) await this.#startAll(app);
      await this.#settle();
      await this.#stopAll(old.filter(({ status }) => status === 'online'));
    } catch (error) {
      await this.#undo();
      throw refused(error);
    }
    for (const { id } of old) await pm2.remove(id);
    say(`done: ${this.#started.length} new, ${old.length} old removed`);
  }

  /** One after the other, so that their starts leave the machine to those at work. */
  async #startAll({ name, instances, saysReady, settings }: DeployApp): Promise<void> {
    const { pm2, say } = this.#options;
    for (let nth = 1; nth <= instances; nth++) {
      this.#checkSignal();
      const startedAt = performance.now();
      const id = await pm2.start(settings);
      this.#started.push({ id, name });
      if (saysReady) await this.#untilReady({ id, name });
      const ms = Math.round(performance.now() - startedAt);
      say(`${name} ${nth}/${instances}: ready after ${ms} ms (pm2 id ${id})`);
    }
  }

  /** pm2 has waited for as long as the app's `listen_timeout`. */
  async #untilReady(one: NewProcess): Promise<void> {
    const record = this.#options.pm2.records.of(one.id);
    await this.#until(() => record.isReady || record.exits > 0, newsMs);
    this.#checkStays(one);
    if (!record.isReady) throw this.#failed(one, "did not get ready within its app's listen_timeout");
  }

  async #settle(): Promise<void> {
    const { pm2, settleMs } = this.#options;
    const endsAt = performance.now() + settleMs;
    while (performance.now() < endsAt) {
      this.#checkAll();
      await pause(lookMs, this.#options.signal);
    }
    for (const one of this.#started) await this.#checkAnswers(one);
    const listed = await pm2.list();
    for (const one of this.#started) {
      const status = listed.find(({ id }) => id === one.id)?.status ?? 'gone';
      if (status !== 'online') throw this.#failed(one, `is ${status}`);
    }
  }

  /** One of forebay's workers that is ready, and does not answer, hangs. */
  async #checkAnswers(one: NewProcess): Promise<void> {
    const { pm2 } = this.#options;
    const record = pm2.records.of(one.id);
    const { signs } = record;
    if (signs === undefined) return;
    await pm2.ask(one.id);
    await this.#until(() => record.signs !== signs || record.exits > 0, answerMs);
    this.#checkStays(one);
    if (record.signs === signs) throw this.#failed(one, `hangs: it gave no answer for ${answerMs} ms`);
  }

  async #stopAll(old: readonly Pm2Process[]): Promise<void> {
    const { pm2, say } = this.#options;
    for (const process of old) {
      this.#checkAll();
      this.#stopped.push(process);
      await pm2.stop(process.id);
      say(`${process.name}: old process ${process.pid} has left`);
    }
    this.#checkAll();
  }

  /** What can't be undone is told, and the rest is undone all the same. */
  async #undo(): Promise<void> {
    const { pm2, say } = this.#options;
    const attempt = async (what: string, act: () => Promise<void>): Promise<void> => {
      try {
        await act();
      } catch (error) {
        say(`${what}: ${messageOf(error)}`);
      }
    };
    for (const { id, name } of this.#stopped)
      await attempt(`${name} (pm2 id ${id}) could not be started again`, () => pm2.startAgain(id));
    await Promise.all(
      this.#started.map(({ id, name }) =>
        attempt(`${name} (pm2 id ${id}) could not be removed`, () => pm2.remove(id)),
      ),
    );
  }

  #checkAll(): void {
    this.#checkSignal();
    for (const one of this.#started) this.#checkStays(one);
  }

  #checkSignal(): void {
    if (this.#options.signal.aborted) throw new Error('The deploy was interrupted.');
  }

  #checkStays(one: NewProcess): void {
    const { exits, isReady } = this.#options.pm2.records.of(one.id);
    if (exits > 0) throw this.#failed(one, isReady ? 'ended soon after it was ready' : 'ended at its start');
  }

  #failed({ id, name }: NewProcess, what: string): Error {
    const { lines } = this.#options.pm2.records.of(id);
    const words = lines.length === 0 ? 'It said nothing.' : ['Its last words:', ...lines].join('\n  ');
    return new Error(`The new ${name} ${what}. ${words}`);
  }

  async #until(isSo: () => boolean, ms: number): Promise<void> {
    const { signal } = this.#options;
    const endsAt = performance.now() + ms;
    while (!isSo() && !signal.aborted && performance.now() < endsAt) await pause(lookMs, signal);
    this.#checkSignal();
  }
}

function refused(cause: unknown): ForebayError {
  return new ForebayError('DEPLOY_REFUSED', `Nothing was deployed. ${messageOf(cause)}`, { cause });
}
