/** What the project's own commands (demo, bench) have in common: how they are interrupted, and how they say what failed. */
import { constants } from 'node:os';
import { reasonOf } from './reason.js';

/** The user, or the system, wants the command to end. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Aborts with an Interruption. A second signal changes nothing: the end is under way, and each of its steps is bounded. */
export function abortOnSignals(controller: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => controller.abort(new Interruption(signal)));
  }
}

/** An error with a code says all that is to know; any other is a bug, and its stack tells where. */
export function explanation(error: unknown): string {
  const isExplained = !(error instanceof Error) || 'code' in error;
  return isExplained ? reasonOf(error) : (error.stack ?? error.message);
}
