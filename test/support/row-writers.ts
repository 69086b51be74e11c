/** Processes of their own that write rows: what an import from many places looks like. */
import type { ChildProcess } from 'node:child_process';
import type { WrittenRow } from '../processes/messages.js';
import type { Environment } from './environment.js';
import { forkProgram, nextMessage } from './program.js';

/** Starts processes, deals the rows out to them, and ends them once all rows are accepted. */
export async function writeFromProcesses(
  environment: Environment,
  count: number,
  rows: readonly WrittenRow[],
): Promise<void> {
  const children = await Promise.all(Array.from({ length: count }, () => start(environment)));
  try {
    await Promise.all(
      children.map(async (child, nth) => {
        child.send(rows.filter((_, i) => i % count === nth));
        await nextMessage(child);
      }),
    );
  } finally {
    for (const child of children) child.kill();
  }
}

async function start(environment: Environment): Promise<ChildProcess> {
  const child = forkProgram('test/processes/row-writer.ts', {
    env: environment.env,
  });
  await nextMessage(child);
  return child;
}
