/** The figures in a bench's JSON, by what they are of: `forebay · bulk · tasks · distinct · persistedPerSecond`. */
export type Figures = ReadonlyMap<string, number>;

/** Of the machine, or how much was done: not what is measured. */
const notMeasured = new Set(['machine', 'calibration', 'correctness', 'scale', 'writes', 'seconds', 'share']);

/** What stands beside others under one name has its texts for a name, or its place. */
export function figuresOf(result: unknown): Figures {
  const figures = new Map<string, number>();
  collect(figures, [], result);
  return figures;
}

function collect(figures: Map<string, number>, at: readonly string[], value: unknown): void {
  if (typeof value === 'number') figures.set(at.join(' · '), value);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, one] of Object.entries(value)) {
    const names = Array.isArray(value) ? nameOf(one, Number(key)) : key === 'runs' ? [] : [key];
    if (!notMeasured.has(key)) collect(figures, [...at, ...names], one);
  }
}

function nameOf(value: unknown, nth: number): string[] {
  const texts = Object.values(value ?? {}).filter((one) => typeof one === 'string');
  return texts.length > 0 ? texts : [`${nth + 1}`];
}
