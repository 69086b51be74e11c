/** A table of text for a terminal. */

/**
 * Columns as wide as they must be: texts to the left, and from column `figuresFrom` on figures to the right.
 */
export function table(rows: readonly (readonly string[])[], figuresFrom = Number.POSITIVE_INFINITY): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (at < figuresFrom ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
