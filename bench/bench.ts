/** What a bench is: a question that is answered by measuring. */
import type { Place } from './place.js';
import type { ProgressLine } from './progress-line.js';

export interface Bench {
  /** The question, in one line, for `--help`. */
  readonly summary: string;
  run(context: BenchContext): Promise<BenchResult>;
}

export interface BenchContext {
  readonly place: Place;
  readonly progress: ProgressLine;
  /** Aborted by Ctrl-C and the like with an Interruption. */
  readonly signal: AbortSignal;
  /** Share of the usual amount of work. */
  readonly scale: number;
  /** A file of recorded requests, for those that replay some. */
  readonly requests: string | undefined;
}

export interface BenchResult {
  /** For people: tables, and what is to know about them. */
  readonly page: string;
  /** The same and more, for `--json`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether what forebay left in the database was right. */
  readonly isCorrect: boolean;
}
