/**
 * What holds each command of the pages' `sh` blocks. `docs/start.md` is followed whole by
 * `test/integration/first-hour.test.ts`.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseBenchArguments } from '../../bench/arguments.js';
import { root } from '../../dev/docs/pages.js';
import { parseVerifyArguments } from '../../verify/arguments.js';
import type { Block } from './page-blocks.js';

interface Holder {
  readonly command: RegExp;
  /** A file that runs it, or its program (a test, or CI), and the word by which it does. */
  readonly heldBy?: readonly [file: string, word: string];
  /** Why it is run nowhere in the gate. */
  readonly reason?: string;
  /** Whether its program understands what stands behind `--`. @throws where not */
  understands?(args: string[]): unknown;
}

const [, listed = ''] = /const benches[^{]*\{([^}]*)\}/.exec(textOf('bench/main.ts')) ?? [];
const benches = [...listed.matchAll(/^ *'?([\w-]+)/gm)].map(([, name]) => name as string);
const ci = '.github/workflows/ci.yml';
const examples = 'test/integration/examples.test.ts';

export const holders: readonly Holder[] = [
  {
    command: /^npx forebay (check|status|audit)( |$)/,
    heldBy: ['test/integration/page-blocks.test.ts', 'commandProcess'],
  },
  {
    command: /^npx forebay lanes members 0$/,
    heldBy: ['test/integration/aggregates.test.ts', "'lanes', 'orderLines', number"],
  },
  { command: /^npx forebay plan( |$)/, heldBy: ['test/unit/operations/plan.test.ts', "'plan', ...args"] },
  { command: /^npx forebay deploy( |$)/, heldBy: ['test/faults/deploys.test.ts', 'home.deploy('] },
  { command: /^npm ci$/, heldBy: [ci, 'npm ci'] },
  { command: /^npm test$/, heldBy: [ci, 'npm test'] },
  { command: /^npm run check$/, heldBy: [ci, 'npm run check'] },
  { command: /^npm run package:check$/, heldBy: [ci, 'npm run package:check'] },
  { command: /^npm run coverage$/, heldBy: [ci, 'npm run coverage'] },
  { command: /^npm run mutation$/, heldBy: [ci, 'npm run mutation'] },
  { command: /^npx vitest run --project unit$/, reason: 'it runs a part of the tests of which this is one' },
  { command: /^npm run test:redis-cache$/, reason: 'it runs a part of the tests of which this is one' },
  { command: /^npm run demo$/, heldBy: ['test/integration/demo.test.ts', 'demo/main.ts'] },
  { command: /^npm run api:report$/, heldBy: ['test/unit/api-report.test.ts', 'dev/api/'] },
  { command: /^npm run docs:reference$/, heldBy: ['test/unit/api-report.test.ts', 'dev/docs/'] },
  { command: /^npm run docs:diagrams$/, heldBy: ['test/unit/pages.test.ts', 'dev/docs/diagrams'] },
  { command: /^npm run docs$/, reason: 'a minute of VitePress; pages.test.ts has its links and its sidebar' },
  { command: /^npm run services$/, heldBy: ['test/support/global-setup.ts', 'acquireServices'] },
  { command: /^npm run simulate$/, heldBy: ['test/integration/simulator.test.ts', 'simulate/'] },
  { command: /^npm run models$/, reason: 'minutes, and it installs Spin' },
  {
    command: /^npm run bench( |$)/,
    reason: 'minutes, on a quiet machine',
    understands: (args) => parseBenchArguments(args, benches),
  },
  { command: /^npm run verify( |$)/, reason: 'minutes', understands: parseVerifyArguments },
  {
    command: /^npm run cache:warm( |$)/,
    heldBy: ['test/integration/warming.test.ts', 'workers/cache-warm.ts'],
  },
  { command: /^node dist\/examples\//, heldBy: [examples, 'dist/examples'] },
  { command: /^curl .*localhost:3000\//, heldBy: [examples, '/projects/quay'] },
  { command: /^npm run release /, heldBy: ['test/unit/release/release.test.ts', 'release'] },
  { command: /^git push --follow-tags$/, reason: 'it publishes' },
];

/** One command a line; with `&&` several. What stands behind a `#` is for people. */
export function commandsOf({ text }: Block): string[] {
  const lines = text.split('\n').map((line) => line.replace(/(^|\s+)#.*$/, '').trim());
  return lines.flatMap((line) => line.split(' && ')).filter((command) => command !== '');
}

/** What is wrong with a command; undefined: it is held. */
export function problemOf(command: string): string | undefined {
  const [holder, another] = holders.filter((one) => one.command.test(command));
  if (holder === undefined) return `nothing runs "${command}": see test/support/page-commands.ts`;
  if (another !== undefined) return `"${command}" is held twice`;
  const [file, word] = holder.heldBy ?? [];
  if (file !== undefined && !textOf(file).includes(word as string))
    return `"${command}" should be run by ${file}, which does not have ${word}`;
  try {
    if (command.includes(' -- ')) holder.understands?.(argumentsOf(command));
    return undefined;
  } catch (error) {
    return `"${command}": ${error}`;
  }
}

function textOf(file: string): string {
  const place = path.join(root, file);
  return existsSync(place) ? readFileSync(place, 'utf8') : '';
}

/** What stands in brackets may be left out. */
function argumentsOf(command: string): string[] {
  const [, rest = ''] = / -- (.*)$/.exec(command) ?? [];
  return rest
    .replace(/ ?\[[^\]]*\]/g, '')
    .split(' ')
    .filter((word) => word !== '');
}
