/** SQL from its files: read once, with `{{names}}` filled in. Values never are: they go as parameters. */
import { readFileSync } from 'node:fs';

const known = new Map<string, string>();

export function readSql(name: string, parts: Readonly<Record<string, string>> = {}): string {
  const sql = known.get(name) ?? readFile(name);
  return sql.replace(/\{\{(\w+)\}\}/g, (_, part: string) => {
    const text = parts[part];
    if (text === undefined) throw new Error(`sql/${name}.sql needs {{${part}}}.`);
    return text;
  });
}

function readFile(name: string): string {
  const sql = readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8')
    .replace(/^--.*\n/gm, '')
    .trim();
  known.set(name, sql);
  return sql;
}
