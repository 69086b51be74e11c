/** `npm run simulate`: histories of the protocol under a scheduler, and mutations that it must find. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { explanation } from '../dev/command.js';
import { startRedisServer } from '../dev/services/redis-server.js';
import { mutations } from './mutations.js';
import { makeTree, runTree } from './tree.js';

const help = `npm run simulate -- [--seed N] [--histories M] [--mutations] [--only NAME]

Runs M histories (default 200) from seed N (default 1): the true Lua on a Redis of its own, a model of Postgres, and a scheduler that
decides every step. With --mutations, each mutation of the protocol must be found within M histories.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      histories: { type: 'string', default: '200' },
      mutations: { type: 'boolean', default: false },
      only: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-simulate-'));
  const server = await startRedisServer({ folder, extraArgs: ['--appendonly', 'no', '--save', ''] });
  const options = { url: server.url, seed: Number(values.seed), histories: Number(values.histories) };
  try {
    if (values.mutations) await findMutations(options, values.only);
    else await runClean(options);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

type Options = Parameters<typeof runTree>[1];

async function runClean(options: Options): Promise<void> {
  const { histories, digest, found } = await runTree(await makeTree('clean', []), options);
  if (!found)
    return console.log(
      `✓ ${histories} histories from seed ${options.seed} hold; trace ${digest.slice(0, 16)}`,
    );
  console.log(found.trace.join('\n'));
  console.log(`✗ seed ${options.seed + histories - 1}: ${found.message}`);
  process.exitCode = 1;
}

async function findMutations(options: Options, only: string | undefined): Promise<void> {
  let missed = 0;
  for (const { name, ...patch } of mutations) {
    if (only !== undefined && name !== only) continue;
    const { histories, found } = await runTree(await makeTree('mutated', [patch]), options);
    if (!found) missed += 1;
    const result = found ? `${String(histories).padStart(4)}  ${found.invariant}` : '   –  not found';
    console.log(`${found ? '✓' : '✗'} ${name.padEnd(48)} ${result}`);
  }
  if (missed > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(explanation(error));
  process.exitCode = 1;
});
