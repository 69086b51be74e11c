/** SQL from its files: read once, with `{{names}}` filled in. Values never are: they go as parameters. */
import { readFileSync } from 'node:fs';

export function readSql(name: string, parts: Readonly<Record<string, string>> = {}): string {
  const sql = readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8')
    .replace(/^--.*\n/gm, '')
    .trim();
  return sql.replace(/\{\{(\w+)\}\}/g, (_, part: string) => {
    const text = parts[part];
    if (text === undefined) throw new Error(`sql/${name}.sql needs {{${part}}}.`);
    return text;
  });
}
