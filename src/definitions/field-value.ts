/** What an object has as a field: a field may be called `toString` or `valueOf`, which every object has too. */

const everyObjects = Object.prototype as unknown as Readonly<Record<string, unknown>>;

export function fieldValue(row: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = row[name];
  return value === everyObjects[name] ? undefined : value;
}
