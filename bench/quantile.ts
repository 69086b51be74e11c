/** The value that a share of the values is below; 0 when there are none. Sorts them. */
export function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
}

/** The value in the middle; 0 when there are none. Leaves them in their order. */
export function middle(values: readonly number[]): number {
  return quantile([...values], 0.5);
}
