/** Values and names as TypeScript source. */

/**
 * An expression for a value of JSON, or for a bigint, a Date or a Uint8Array, also inside arrays and objects.
 */
export function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Date) return `new Date(${JSON.stringify(value)})`;
  if (value instanceof Uint8Array) return `new Uint8Array([${[...value].join(', ')}])`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return objectLiteral(value);
  return JSON.stringify(value);
}

function objectLiteral(value: object): string {
  const entries = Object.entries(value).map(([key, item]) => `${propertyKey(key)}: ${literal(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** Written plainly, `__proto__` would set the prototype and add no property. */
export function propertyKey(key: string): string {
  if (key === '__proto__') return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

/**
 * Names for the constants of a module, one for each given name: the name itself, with `_` behind it where a
 * module can't declare it.
 */
export function constantNames(names: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set([...names, ...undeclarable]);
  return new Map(names.map((name) => [name, undeclarable.has(name) ? freeName(name, taken) : name]));
}

function freeName(name: string, taken: Set<string>): string {
  const candidate = `${name}_`;
  if (taken.has(candidate)) return freeName(candidate, taken);
  taken.add(candidate);
  return candidate;
}

/** Reserved words, names that a module or TypeScript reserves, and the classes that `literal` refers to. */
const undeclarable: ReadonlySet<string> = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends
  false finally for function if implements import in instanceof interface let new null package private protected
  public return static super switch this throw true try typeof undefined var void while with yield
  exports require Date Uint8Array`.split(/\s+/),
);
