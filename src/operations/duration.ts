/** Times as people say them. */

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** `3 h`, `12 s`, `40 ms`. */
export function duration(ms: number): string {
  const positive = Math.max(0, ms);
  const unit = units.find(([, size]) => positive >= size);
  return unit === undefined ? `${Math.round(positive)} ms` : `${Math.floor(positive / unit[1])} ${unit[0]}`;
}
