/** From requests to figures. */
import type { Answers } from './replay-app.js';

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Speed extends Latency {
  readonly perSecond: number;
}

export interface Replayed extends Speed {
  /** Share of the requests whose page was cached when they came. */
  readonly hitRate: number;
  /** Of those alone; undefined when there are none. */
  readonly hits: (Latency & { readonly under5Ms: number }) | undefined;
  readonly loads: number;
}

export function toReplayed(shares: readonly (readonly string[])[], answers: readonly Answers[]): Replayed {
  const speed = toSpeed(answers);
  const hitsMs = hitsOf(shares, answers);
  const loads = answers.flatMap(({ hasLoaded }) => hasLoaded.filter(Boolean)).length;
  const requests = shares.flat().length;
  return { ...speed, hitRate: hitsMs.length / requests, hits: toHits(hitsMs), loads };
}

export function toSpeed(answers: readonly Answers[]): Speed {
  const took = answers.flatMap(({ tookMs }) => tookMs);
  const startedAt = Math.min(...answers.map((one) => one.startedAt));
  const endedAt = Math.max(...answers.map((one) => one.endedAt));
  return { perSecond: (1_000 * took.length) / (endedAt - startedAt), ...toLatency(took) };
}

export function toLatency(tookMs: readonly number[]): Latency {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** What requests took that came after their page had been loaded once, by any process, and did not load it again. */
function hitsOf(shares: readonly (readonly string[])[], answers: readonly Answers[]): number[] {
  const cachedAt = new Map<string, number>();
  forEachRequest(shares, answers, ({ id, beganAt, tookMs, hasLoaded }) => {
    const known = cachedAt.get(id) ?? Number.POSITIVE_INFINITY;
    if (hasLoaded) cachedAt.set(id, Math.min(known, beganAt + tookMs));
  });
  const hitsMs: number[] = [];
  forEachRequest(shares, answers, ({ id, beganAt, tookMs, hasLoaded }) => {
    const isCached = beganAt > (cachedAt.get(id) ?? Number.POSITIVE_INFINITY);
    if (isCached && !hasLoaded) hitsMs.push(tookMs);
  });
  return hitsMs;
}

interface Request {
  readonly id: string;
  readonly beganAt: number;
  readonly tookMs: number;
  readonly hasLoaded: boolean;
}

function forEachRequest(
  shares: readonly (readonly string[])[],
  answers: readonly Answers[],
  see: (request: Request) => void,
): void {
  answers.forEach((one, process) => {
    shares[process]?.forEach((id, at) => {
      const [beganAt, tookMs] = [one.beganAt[at] as number, one.tookMs[at] as number];
      see({ id, beganAt, tookMs, hasLoaded: one.hasLoaded[at] as boolean });
    });
  });
}

function toHits(hitsMs: readonly number[]): Replayed['hits'] {
  if (hitsMs.length === 0) return undefined;
  return { ...toLatency(hitsMs), under5Ms: hitsMs.filter((ms) => ms < 5).length / hitsMs.length };
}
