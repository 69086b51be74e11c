/** The simulator of the lane (`npm run simulate`): the same seed gives the same trace. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

it('The same seed gives the same trace, and another seed another', async () => {
  const trace = async (seed: number): Promise<string> => {
    const args = ['--import', 'tsx', 'simulate/main.ts', '--seed', String(seed), '--histories', '3'];
    const { stdout } = await run(process.execPath, args);
    return /3 histories from seed \d+ hold; trace (\w+)/.exec(stdout)?.[1] ?? stdout;
  };
  const [first, again, other] = [await trace(7), await trace(7), await trace(11)];
  expect(first).toMatch(/^\w{16}$/);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
}, 120_000);
