/** package.json and the files of CI: they are what they should be, call scripts that exist, and try what package.json promises. */
import { readdirSync, readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');
const { scripts, engines, exports } = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  engines: { node: string };
  exports: Record<string, unknown>;
};
const folders = ['.github/workflows', '.github/ISSUE_TEMPLATE'];
const files = folders.flatMap((folder) =>
  readdirSync(new URL(folder, root)).map((name) => `${folder}/${name}`),
);

describe('package.json', () => {
  it('exports published files alone, each with its types', () => {
    for (const [name, one] of Object.entries(exports).filter(([name]) => name !== './package.json')) {
      expect(one, name).toEqual({
        types: expect.stringMatching(/^\.\/dist\/src\/[\w-]+\.d\.ts$/),
        default: expect.stringMatching(/^\.\/dist\/package\/[\w-]+\.js$/),
      });
    }
  });
});

describe('the workflows', () => {
  it.each(files)('%s is YAML, and calls scripts that are there', (file) => {
    expect(load(read(file))).toBeTypeOf('object');
    const called = [...read(file).matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name as string);
    expect(called.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('try the oldest Node that is promised, each Redis, and each Postgres', () => {
    const { jobs } = load(read('.github/workflows/ci.yml')) as {
      jobs: {
        test: { strategy: { matrix: Record<string, unknown[]> & { include: { postgres: number }[] } } };
      };
    };
    const { node, redis, postgres, include } = jobs.test.strategy.matrix;
    expect(node).toEqual([20, 22, 24]);
    expect(engines.node).toBe('>=20.19');
    expect(redis).toEqual(['redis:7', 'redis:8', 'valkey/valkey:8']);
    expect([...include.map((one) => one.postgres), ...(postgres ?? [])]).toEqual([14, 15, 16, 17, 18]);
  });
});
