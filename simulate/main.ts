/** `npm run simulate`: histories of the protocol under a scheduler, and mutations that it must find. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { explanation } from '../dev/command.js';
import { startRedisServer } from '../dev/services/redis-server.js';
import { type Mutation, mutations } from './mutations.js';
import type { Limits, Result } from './run.js';
import { inTree, type Patch, runTree } from './tree.js';

const help = `npm run simulate -- [--seed N] [--histories M] [--minutes T] [--trace] [--mutations] [--only NAME ...]

Runs histories of the protocol: the true Lua on a Redis of its own, the true worker, a model of Postgres, and a scheduler that decides
every step. One seed is one history: without --seed the first is chosen by chance, and printed. Ends after M histories (default 200)
or T minutes, whichever is given; with 1 when an invariant does not hold, with what happened and how to repeat it.
--trace prints what happened in the last history. With --mutations each mutation of the protocol must be found.`;

/** In which each mutation must be found. */
const mutationHistories = 2_000;

const options = {
  seed: { type: 'string' },
  histories: { type: 'string' },
  minutes: { type: 'string' },
  trace: { type: 'boolean', default: false },
  mutations: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] as string[] },
  help: { type: 'boolean', default: false },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(help);
  const folder = await mkdtemp(path.join(tmpdir(), 'forebay-simulate-'));
  const server = await startRedisServer({
    folder,
    // Hashes keep the order in which they were written: else it is another in each process.
    extraArgs: ['--appendonly', 'no', '--save', '', '--hash-max-listpack-value', '65536'],
  });
  try {
    const run = (patches: readonly Patch[], limits: Limits): Promise<Result> =>
      inTree(patches, (tree) => runTree(tree, server.url, limits));
    const limits = limitsOf(values);
    console.log(`From seed ${limits.seed}.`);
    if (values.mutations) await findMutations(run, limits, values.only);
    else await runClean(run, limits, values.trace);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

type Run = (patches: readonly Patch[], limits: Limits) => Promise<Result>;

function limitsOf(values: {
  seed?: string | undefined;
  histories?: string | undefined;
  minutes?: string | undefined;
  mutations: boolean;
}): Limits {
  const { seed = Math.floor(Math.random() * 1_000_000_000), minutes } = values;
  const fallback = values.mutations
    ? mutationHistories
    : minutes === undefined
      ? 200
      : Number.MAX_SAFE_INTEGER;
  const ms = minutes === undefined ? Number.MAX_SAFE_INTEGER : Number(minutes) * 60_000;
  return { seed: Number(seed), histories: Number(values.histories ?? fallback), ms };
}

async function runClean(run: Run, limits: Limits, isTold: boolean): Promise<void> {
  const { histories, digest, trace, found } = await run([], limits);
  if (found || isTold) console.log(trace.join('\n'));
  if (!found) return console.log(`✓ ${histories} histories hold; trace ${digest.slice(0, 16)}`);
  const seed = limits.seed + histories - 1;
  console.log(`✗ ${found.message}`);
  console.log(`The ${histories}. history. To repeat it: npm run simulate -- --seed ${seed} --histories 1`);
  process.exitCode = 1;
}

async function findMutations(run: Run, limits: Limits, only: readonly string[]): Promise<void> {
  const startedAt = performance.now();
  const wanted = mutations.filter(({ name }) => only.length === 0 || only.includes(name));
  let found = 0;
  let tried = 0;
  for (; tried < wanted.length && performance.now() - startedAt < limits.ms; tried++) {
    const mutation = wanted[tried] as Mutation;
    const result = await run([mutation], limits);
    if (result.found) found += 1;
    console.log(line(mutation, result.histories, result.found?.invariant));
  }
  const left = tried < wanted.length ? `; ${wanted.length - tried} were not tried` : '';
  console.log(`${found} of ${tried} mutations are found${left}`);
  if (found < tried || tried === 0) process.exitCode = 1;
}

function line({ name }: Mutation, histories: number, invariant: string | undefined): string {
  const result = invariant ? `${String(histories).padStart(4)}  ${invariant}` : '   –  not found';
  return `${invariant ? '✓' : '✗'} ${name.padEnd(52)} ${result}`;
}

main().catch((error: unknown) => {
  console.error(explanation(error));
  process.exitCode = 1;
});
