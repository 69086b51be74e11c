/** What a mistyped name was meant to be. */

const editsMax = 2;

/** `Did you mean status?`, or nothing when none is near. */
export function suggestion(given: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, edits: editsBetween(given, name) }))
    .filter(
      ({ name, edits }) => edits <= Math.min(editsMax, Math.ceil(name.length / 3)) || name.startsWith(given),
    )
    .sort((a, b) => a.edits - b.edits);
  return near[0] === undefined || given === '' ? '' : ` Did you mean ${near[0].name}?`;
}

/** Levenshtein's distance, where two letters that change places are one edit. */
export function editsBetween(one: string, other: string): number {
  const rows = Array.from({ length: one.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= other.length; j++) (rows[0] as number[])[j] = j;
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= one.length; i++) {
    for (let j = 1; j <= other.length; j++) {
      const change = one[i - 1] === other[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      (rows[i] as number[])[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + change,
        isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return at(one.length, other.length);
}
