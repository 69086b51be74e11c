/** The simulator of lanes (`npm run simulate`): it repeats itself, and finds faults. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

async function simulate(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', 'simulate/main.ts', ...args]);
  return stdout;
}

it('The same seed gives the same trace, and another seed another', async () => {
  const trace = async (seed: number): Promise<string> => {
    const told = await simulate('--seed', String(seed), '--histories', '3');
    return /3 histories hold; trace (\w+)/.exec(told)?.[1] ?? told;
  };
  const [first, again, other] = [await trace(7), await trace(7), await trace(11)];
  expect(first).toMatch(/^\w{16}$/);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
}, 120_000);

it('It finds planted faults, and says in how many histories', async () => {
  const some = ['ledger off', 'nobody is woken', 'split forgets a delta'];
  const only = some.flatMap((name) => ['--only', name]);
  const told = await simulate('--mutations', '--seed', '2', ...only);
  for (const name of some) expect(told).toMatch(new RegExp(String.raw`✓ ${name} +\d+ +FB-[A-Z]+`));
}, 240_000);
