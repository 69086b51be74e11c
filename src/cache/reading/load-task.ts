/** One key's way to its value, and who may share it. */
import type { Claim, Fill, Look, Port } from './port.js';

/** A key whose entry is missing, and what the look at that told. */
export interface Missed {
  readonly key: string;
  /** The token of the lease that stood there. */
  readonly lease?: string | undefined;
  /** Redis did not answer. */
  readonly away?: { readonly error: unknown };
}

export interface Outcome<Value> {
  readonly value: Value;
  readonly isProven: boolean;
  /** Of the load; none: the value was there. */
  readonly fill?: Fill;
}

/** One key's way to its value. */
export interface Task<Value> extends Missed {
  /**
   * `open`: what it gets is asked for later than any read that comes until then. `leased`: it loads, under a
   * lease that tells whether something newer came. `closed`: what it gets may be older than a read that comes
   * now.
   */
  stage: 'open' | 'leased' | 'closed';
  token?: string;
  readonly startedAtMs: number;
  readonly promise: Promise<Outcome<Value>>;
  readonly resolve: (outcome: Outcome<Value>) => void;
  readonly reject: (error: unknown) => void;
}

export function createTask<Value>(missed: Missed): Task<Value> {
  let resolve: Task<Value>['resolve'] = () => undefined;
  let reject: Task<Value>['reject'] = () => undefined;
  const promise = new Promise<Outcome<Value>>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  // The caller may have gone by then.
  promise.catch(() => undefined);
  const stage = missed.away === undefined ? 'open' : 'closed';
  return { ...missed, stage, startedAtMs: Date.now(), promise, resolve, reject };
}

/**
 * Whether a read may share what is under way, by what its look at the entry found: it must not get anything
 * that is older. What is asked for later than it looked is new enough, as replies come in order; and so is
 * what is loaded under the lease that it saw.
 */
export function mayJoin<Value>({ stage, token }: Task<Value>, missed: Missed): boolean {
  if (missed.away !== undefined || stage === 'open') return true;
  return stage === 'leased' && token === missed.lease;
}

/** Notes what the look means for those who come later. */
export function arrive<Value, Seen>(
  task: Task<Value>,
  look: Look<Value, Seen>,
  port: Port<Value>,
): Look<Value, Seen> {
  if (look.kind === 'lease') task.token = look.token;
  if (look.kind !== 'wait') task.stage = look.kind === 'lease' && port.isLeaseProof ? 'leased' : 'closed';
  return look;
}

export function claimOf<Value>(
  { key, startedAtMs }: Task<Value>,
  look: Look<Value, unknown>,
  port: Port<Value>,
): Claim<unknown> | undefined {
  switch (look.kind) {
    case 'lease':
      return { key, token: look.token, seen: look.seen };
    case 'refused':
      return { key, token: undefined, seen: look.seen };
    case 'wait':
      // Whoever loads it fails again and again, or Redis loses the lease each time: load without one.
      return Date.now() < startedAtMs + 2 * port.leaseMs
        ? undefined
        : { key, token: undefined, seen: look.seen };
    case 'away':
      return port.onRedisAway === 'load' ? { key, token: undefined, seen: undefined } : undefined;
    case 'value':
      return undefined;
  }
}
