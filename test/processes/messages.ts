/** What tests and their processes say to each other. This folder is built, and needs nothing of the tests' set-up. */

import type { EventType } from '../../src/events.js';
import type { Outage, ReplayWrite } from '../support/activity-replay.js';
import type { Change, Subject, Way } from '../support/cache-participant.js';

/** What happens in place, when the worker emits the event for the first time. */
export interface Fault {
  readonly at: EventType;
  readonly action: 'exit' | 'kill' | 'pause';
}

/** What a worker exits with when its fault says so. */
export const faultExitCode = 42;

export type WrittenRow = readonly ['users' | 'clients' | 'projects' | 'tasks' | 'teamMembers', object];

export interface Readers {
  /** `row`: from a record store, by the key as its id. */
  readonly kind: 'value' | 'row';
  readonly key: string;
  readonly callers: number;
  readonly loadMs: number;
  /** Of values. */
  readonly loadTimeoutMs?: number;
}

/** Where the loaders of a key count themselves. */
export function loadsKey(environment: { readonly config: { readonly prefix: string } }, key: string): string {
  return `{${environment.config.prefix}:loads}:${key}`;
}

export interface ParticipantOptions {
  readonly hasMemory: boolean;
  /** How far its clock is ahead. */
  readonly clockSkewMs: number;
}

export type Request =
  | { readonly kind: 'read'; readonly subject: Subject; readonly way: Way }
  | { readonly kind: 'change'; readonly subject: Subject; readonly change: Change; readonly version: number }
  | { readonly kind: 'reachLoads' };

export type ToProcess =
  | { readonly kind: 'request'; readonly id: number; readonly request: Request }
  /** What the database says to a question. */
  | { readonly kind: 'answer'; readonly question: number; readonly value: number };

export type FromProcess =
  | { readonly kind: 'ready' }
  /** A request's loader or writer asks the database. */
  | { readonly kind: 'question'; readonly id: number; readonly question: number }
  | { readonly kind: 'done'; readonly id: number; readonly value: number | null }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string };

/** To a host: the app writes on, or stops and says what became of all; the workers say what is in the database. */
export interface ToHost {
  readonly kind: 'write on' | 'stop' | 'read rows';
}

export type FromHost =
  | { readonly kind: 'ready'; readonly url: string }
  /** Some more writes were accepted. */
  | { readonly kind: 'accepted' }
  | {
      readonly kind: 'done';
      /** What was written to each row, in its order, and how it ended. */
      readonly rows: readonly (readonly [row: string, writes: readonly WrittenAndEnded[]])[];
      readonly refused: readonly {
        readonly kind: ReplayWrite['kind'];
        readonly code: string;
        readonly at: number;
      }[];
      /** Of each lane that had some. */
      readonly callsInDoubt: readonly number[];
      readonly outages: readonly Outage[];
    }
  | {
      readonly kind: 'rows';
      readonly rows: ReadonlyMap<string, object>;
      /** What the worker has told since it was asked last. */
      readonly events: readonly EventType[];
    };

export interface WrittenAndEnded {
  readonly write: ReplayWrite;
  readonly end: string;
}
