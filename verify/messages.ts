/** What the driver and its processes tell each other. */
import type { Durability } from '../src/definitions/record.js';

/** What a round's clients do. */
export interface Work {
  readonly round: number;
  readonly seed: number;
  /** Where the history goes. */
  readonly folder: string;
  readonly clients: number;
  /** Redis will lose what it has accepted: only what is promised then is written. */
  readonly isLossy: boolean;
  readonly durabilities: readonly (readonly [Durability, number])[];
}

export type ToApp =
  | { readonly kind: 'work'; readonly work: Work }
  /** No further calls; answers `rested` once those under way have ended. */
  | { readonly kind: 'rest' }
  /** Answers `flushed` once all is in the database. */
  | { readonly kind: 'flush'; readonly timeoutMs: number }
  /** Reads everything once more; answers `read`. */
  | { readonly kind: 'read'; readonly keys: readonly string[] };

export type FromApp =
  | { readonly kind: 'ready' | 'rested' | 'read' }
  | { readonly kind: 'flushed'; readonly error?: string };

export type FromWorker =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'event';
      readonly type: string;
      readonly lane: string;
      readonly text: string;
      readonly at: number;
    };
