/** Where a process spends its time: V8's CPU profile, and what a process of a bench is asked to get one. */
import { Session } from 'node:inspector/promises';

/** https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  readonly nodes: readonly CpuNode[];
  /** The id of the node that ran, for each sample. */
  readonly samples?: readonly number[] | undefined;
  /** In µs, from one sample to the next. */
  readonly timeDeltas?: readonly number[] | undefined;
}

export interface CpuNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[] | undefined;
}

export interface ProfiledHandlers {
  startProfile(): Promise<void>;
  stopProfile(): Promise<CpuProfile>;
}

export function profiled(): ProfiledHandlers {
  const session = new Session();
  return {
    async startProfile() {
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
    },
    async stopProfile() {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      return profile;
    },
  };
}

/** In µs, by node: while it was on top of the stack. */
export function selfMicros({ samples = [], timeDeltas = [] }: CpuProfile): Map<number, number> {
  const micros = new Map<number, number>();
  for (const [nth, id] of samples.entries()) micros.set(id, (micros.get(id) ?? 0) + (timeDeltas[nth] ?? 0));
  return micros;
}

const noWork = new Set(['(idle)', '(root)']);

/** The part of the program that a function belongs to: a folder of ours, a package, Node; undefined while nothing runs. */
export function partOf({ callFrame: { functionName, url } }: CpuNode): string | undefined {
  if (noWork.has(functionName)) return undefined;
  const own = /\/dist\/((?:src|bench|examples)\/.*)\/[^/]+$/.exec(url)?.[1];
  const packageName = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return own ?? packageName ?? (functionName === '(garbage collector)' ? 'garbage collection' : 'Node');
}
