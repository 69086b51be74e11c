/** SQL from its files, and each file's header against its statement. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { readSql } from '../../../src/database/sql-file.js';

const folder = new URL('../../../src/database/sql/', import.meta.url);
const files = readdirSync(folder);

test('there is SQL, and nothing else, in its folder', () => {
  expect(files.length).toBeGreaterThan(0);
  expect(files.filter((file) => !file.endsWith('.sql'))).toEqual([]);
});

describe.each(files)('the header of %s', (file) => {
  const lines = readFileSync(new URL(file, folder), 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const [header, statement] = [lines.slice(0, end), lines.slice(end).join('\n')];

  it('begins with its name', () => {
    expect(header[0]).toMatch(new RegExp(`^-- ${file.replace('.sql', '')}: \\S`));
  });

  it('documents each parameter and each part that the statement uses, and no other', () => {
    const documented = header.flatMap((line) => /^-- (\$\d+|\{\{\w+\}\}) +\S/.exec(line)?.[1] ?? []);
    const used = new Set(statement.match(/\$\d+|\{\{\w+\}\}/g));
    expect(new Set(documented).size).toBe(documented.length);
    expect([...documented].sort()).toEqual([...used].sort());
  });

  it('is the only comment', () => {
    expect(statement).not.toMatch(/--|\/\*/);
  });
});

describe('readSql', () => {
  it('gives the statement without its header', () => {
    expect(readSql('read-ledger', { ledger: 'forebay_ledger' })).toMatch(
      /^SELECT \(batch[^{]*\nFROM forebay_ledger WHERE lane = \$1$/,
    );
  });

  it('fills in the parts as they are, whatever they contain', () => {
    const parts = { table: `"a$&$1{{match}}"`, recordset: '"id" text', match: 't."x" = r."id"' };
    expect(readSql('delete', parts)).toBe(
      `DELETE FROM "a$&$1{{match}}" AS t\nUSING json_to_recordset($1::json) AS r("id" text)\nWHERE t."x" = r."id"`,
    );
  });

  it('says which part is missing', () => {
    expect(() => readSql('delete', { table: '"a"' })).toThrow('sql/delete.sql needs {{recordset}}.');
  });

  it('says which file is missing', () => {
    expect(() => readSql('nothing')).toThrow(/ENOENT.*nothing\.sql/);
  });
});
