import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'forebay-demo-test-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('the demo', () => {
  it('replays an activity file, ends with every row equal, and writes its result', async () => {
    const activity = path.join(folder, 'activity.jsonl.gz');
    const json = path.join(folder, 'result.json');
    await writeFile(activity, gzipSync(lines(400).join('\n')));
    const args = ['--import', 'tsx', 'demo/main.ts', '--activity', activity, '--json', json, '--exit'];
    const env = { ...process.env, DATABASE_URL: inject('databaseUrl'), REDIS_URL: inject('redisUrl') };
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env });
    expect(stdout).toContain('Every row is equal');
    const result = JSON.parse(await readFile(json, 'utf8'));
    expect(result).toMatchObject({ isEqual: true, rowsDifferent: 0, rowsMissing: 0, rowsExtra: 0 });
    expect(result.rowsEqual).toBe(result.rowsCompared);
    expect(result.writesAccepted).toBeGreaterThan(result.rowsWritten);
  });
});

/** Commits that create, change, delete and create again 60 files in 6 folders. */
function lines(commits: number): string[] {
  return Array.from({ length: commits }, (_, i) => {
    const change = i % 9 === 0 ? 'D' : 'M';
    const files = [0, 1, 2].map((k) => [
      k === 0 ? change : 'M',
      `folder-${i % 6}/file-${(i * 7 + k) % 60}.ts`,
    ]);
    return JSON.stringify({ commit: String(i), at: 1_700_000_000 + i, author: `author-${i % 5}`, files });
  });
}
