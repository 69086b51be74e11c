/** Calls that are to fail, as a test has asked for it. */
import { toUnavailable } from '../connection/refusals.js';
import { closedError } from '../errors.js';

/** What a call is made to. */
export type FaultPlace = 'redis' | 'database';

interface Fault {
  readonly error: unknown;
  left: number;
}

export class Faults {
  readonly #faults = new Map<FaultPlace, Fault>();
  #isClosed = false;

  /** The next `times` calls fail with the error; of 0, none do. */
  failNext(place: FaultPlace, error: unknown = defaultError(place), times = 1): void {
    this.#faults.set(place, { error, left: times });
  }

  /** Before each call. @throws the error that it is to fail with; ForebayError CLOSED */
  pass(place: FaultPlace): void {
    if (this.#isClosed) throw closedError();
    const fault = this.#faults.get(place);
    if (fault === undefined || fault.left <= 0) return;
    fault.left -= 1;
    throw fault.error;
  }

  /** From now on all calls fail, as the app is closed. */
  close(): void {
    this.#isClosed = true;
  }
}

/** As it is told by the true ones when they are away. */
function defaultError(place: FaultPlace): Error {
  if (place === 'redis') return toUnavailable('Redis does not answer: a test wants it so', undefined);
  return new Error("Can't reach database server: connection terminated, for a test wants it so");
}
