/** package.json and the files of CI: they are what they should be, call scripts that exist, and try what package.json promises. */
import { execFileSync } from 'node:child_process';
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

interface Job {
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

function jobs(): [name: string, job: Job][] {
  return files
    .filter((file) => file.startsWith('.github/workflows/'))
    .flatMap((file) => {
      const { jobs: all } = load(read(file)) as { jobs: Readonly<Record<string, Job>> };
      return Object.entries(all).map(([name, job]): [string, Job] => [`${file}, ${name}`, job]);
    });
}

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

  it.each(jobs())(
    '%s: its steps take actions of a version, and the shell can read its commands',
    (_, job) => {
      for (const { uses, run } of job.steps) {
        // GitHub's own by their major version; anybody else's could become another by the same name.
        if (uses !== undefined) expect(uses).toMatch(/^(actions\/[\w-]+@v\d+|[\w-]+\/[\w/-]+@[0-9a-f]{40})$/);
        const script = run?.replace(/\$\{\{.*?\}\}/g, 'value') ?? '';
        expect(() => execFileSync('bash', ['-n'], { input: script, stdio: 'pipe' })).not.toThrow();
      }
    },
  );

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
