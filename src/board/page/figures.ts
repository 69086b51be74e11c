/** Numbers as people read them. */

/** `1,234`, `12.3`, `0.4`. */
export function count(value: number): string {
  const digits = value !== 0 && Math.abs(value) < 100 && !Number.isInteger(value) ? 1 : 0;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `12 MB`. */
export function megabytes(bytes: number): string {
  return `${count(Math.round(bytes / 1_048_576))} MB`;
}
