/** How long entries live. */

/** Known to be absent is believed for at most this long, as another program may add the row. */
const absentTtlMaxMs = 60_000;

/**
 * The life of an entry, up to a tenth shorter by chance, so that entries made together don't expire together.
 */
export function entryTtlMs(ttlMs: number, isAbsent: boolean, random: () => number = Math.random): number {
  const life = isAbsent ? Math.min(ttlMs, absentTtlMaxMs) : ttlMs;
  return Math.max(1, Math.round(life * (1 - 0.1 * random())));
}
