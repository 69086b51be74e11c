/** Variables of the environment that the bench gives to its processes. */

export function requireVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set; the bench sets it.`);
  return value;
}
