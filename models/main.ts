/** `npm run models`: the models of the protocols hold in every state, and fail without any of their guards. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { explanation } from '../dev/command.js';
import { type Search, searches } from './searches.js';
import { type Outcome, search } from './spin.js';

const help = `npm run models

Searches every state of the models in models/ with Spin: lane.pml (src/buffer/README.md) and lease.pml (src/cache/README.md).
Each must hold as it is, and fail without any of its guards. Takes about a minute.
Needs spin and gcc; on Debian, as root, they are installed when they are missing.`;

const run = promisify(execFile);

async function isThere(program: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}

async function requireSpin(): Promise<void> {
  if ((await isThere('spin')) && (await isThere('gcc'))) return;
  if (process.getuid?.() !== 0 || !(await isThere('apt-get')))
    throw Object.assign(
      new Error('There is no spin or no gcc on the PATH. Install them: apt-get install spin gcc.'),
      {
        code: 'PROGRAM_MISSING',
      },
    );
  console.log('Installing spin and gcc with apt-get (once).');
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, maxBuffer: 16 * 1_048_576 };
  await run('apt-get', ['update'], options);
  await run('apt-get', ['install', '-y', '--no-install-recommends', 'spin', 'gcc', 'libc6-dev'], options);
}

function line({ model, what, mustHold }: Search, { states, ms, violation }: Outcome): string {
  const isAsItMust = mustHold === (violation === undefined);
  const found = violation === undefined ? 'holds' : 'fails';
  const figures = `${states.toLocaleString('en')} states, ${(ms / 1_000).toFixed(1)} s`;
  return `${isAsItMust ? '✓' : '✗'} ${model.padEnd(5)} ${what}: ${found} (${figures})${isAsItMust ? '' : `: ${violation}`}`;
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(help);
    return;
  }
  await requireSpin();
  let wrong = 0;
  for (const one of searches) {
    const outcome = await search(one);
    console.log(line(one, outcome));
    if (one.mustHold !== (outcome.violation === undefined)) wrong += 1;
  }
  console.log(`${searches.length - wrong} passed, ${wrong} failed`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(explanation(error));
  process.exitCode = 1;
});
