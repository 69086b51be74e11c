/** How the demo writes numbers, for people. */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `12,345` */
export function count(value: number): string {
  return whole.format(value);
}

/** `12,345/s` */
export function rate(perSecond: number): string {
  return `${count(perSecond)}/s`;
}

/** `84 ms`, `1.2 s` */
export function duration(ms: number): string {
  return ms < 1_000 ? `${count(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** `1 row`, `2 rows` */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
