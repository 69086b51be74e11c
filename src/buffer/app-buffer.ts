/** The steps of the write buffer that an app takes, wherever its lanes are. */
import type { WriteBuffer } from './write-buffer.js';

/** What an app asks of its lanes: they are in Redis, or in a test's memory. */
export type AppBuffer = Pick<
  WriteBuffer,
  | 'write'
  | 'claim'
  | 'claimCounters'
  | 'fill'
  | 'drop'
  | 'isPending'
  | 'isWaiting'
  | 'waitsToDelete'
  | 'inspect'
  | 'hurry'
> & { readonly letters: AppLetters };

export type AppLetters = Pick<WriteBuffer['letters'], 'list' | 'get' | 'replay' | 'discard'>;
