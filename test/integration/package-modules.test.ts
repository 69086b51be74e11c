/** What an app loads with forebay: the built package in a process of its own, every module of it counted. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { builtProgram } from '../support/program.js';

const built = path.dirname(builtProgram('src/index.ts'));
/** Prints each module's URL as it is loaded; what is loaded by `require` is in its cache at the end. */
const hooks = `import { writeSync } from 'node:fs';
export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;

async function packagesOf(entry: string): Promise<string[]> {
  const file = JSON.stringify(path.join(built, entry));
  const program = `import { createRequire, register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    await import(${file});
    console.log(Object.keys(createRequire(${file}).cache).join('\\n'));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  const names = stdout.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g);
  return [...new Set([...names].map(([, name]) => name as string))].sort();
}

describe('an app that imports forebay', () => {
  it('loads the client of Redis and a few small packages: no queue, no logger, no validation, no board', async () => {
    const packages = await packagesOf('index.js');
    expect(packages).toContain('ioredis');
    const heavy = [
      'bullmq',
      'pino',
      'zod',
      'node-cron',
      'hono',
      '@bull-board/api',
      'pg',
      '@prisma/adapter-pg',
      'prom-client',
      '@opentelemetry/api',
    ];
    expect(packages.filter((name) => heavy.includes(name))).toEqual([]);
    expect(packages.length).toBeLessThanOrEqual(20);
  });

  const light = ['patterns', 'shared', 'health', 'testing', 'keyv', 'unstorage', 'fastify', 'hono', 'next'];

  it.each(light.map((name) => `${name}.js`))('loads no more with %s', async (entry) => {
    const [root, more] = await Promise.all([packagesOf('index.js'), packagesOf(entry)]);
    expect(more.filter((name) => !root.includes(name))).toEqual([]);
  });
});
