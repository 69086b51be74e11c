/** What an object has as a field, which may be called `toString` or `valueOf`, as what every object has. */

const everyObjects = Object.prototype as unknown as Readonly<Record<string, unknown>>;

export function fieldValue(row: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = row[name];
  return value === everyObjects[name] ? undefined : value;
}
