/** `forebay plan` on the command line. */
import { toMs } from '../operations/duration.js';
import type { Load } from '../operations/plan.js';
import { type Call, type Command, durationProblem, json } from './command.js';

export const planCommand: Command = {
  name: 'plan',
  about: 'what a load takes: processes, masters, lanes, cores and memory',
  words: [],
  flags: [
    json,
    { name: 'writes', value: 'N', about: 'writes a second (default 1,000)' },
    { name: 'row-bytes', value: 'N', about: "bytes of a row's JSON (default 300)" },
    {
      name: 'rewrites',
      value: 'N',
      about: 'writes of a row before it is flushed (default 1: each is of another row)',
    },
    { name: 'stores', value: 'N', about: 'record stores that share them (default 1)' },
    {
      name: 'outage',
      value: 'DURATION',
      about: 'how long Postgres may be away with nothing refused (default 10min)',
    },
  ],
  details: `An estimate from measured processor times, each thread busy by 60 % at most; it asks no server. \`npm run bench -- scale\` measures yours.
See docs/scale.md.`,
  examples: [
    { line: 'forebay plan --writes 20000', about: 'for 20,000 writes a second' },
    {
      line: 'forebay plan --writes 50000 --rewrites 20 --row-bytes 120',
      about: 'hot rows: devices that report again and again',
    },
    { line: 'forebay plan --writes 5000 --outage 1h --json', about: 'for programs' },
  ],
  problem: (call) => durationProblem(call.valueOf('outage')) ?? planProblem(call),
  run: async (call, io) => {
    const { plan } = await import('./plan.js');
    plan(loadOf(call), io, { isJson: call.has('json') });
    return 0;
  },
};

/** Of a call without a problem. */
function loadOf(call: Call): Load {
  const figure = (flag: string, usual: number): number => Number(call.valueOf(flag) ?? usual);
  return {
    writesPerSecond: figure('writes', usualLoad.writesPerSecond),
    rowBytes: figure('row-bytes', usualLoad.rowBytes),
    writesPerRow: figure('rewrites', usualLoad.writesPerRow),
    stores: figure('stores', usualLoad.stores),
    outageMs: toMs(call.valueOf('outage') ?? '10min') ?? 0,
  };
}

const usualLoad = { writesPerSecond: 1_000, rowBytes: 300, writesPerRow: 1, stores: 1 } as const;

/** By flag: what it must lie between, and whether it is a whole number. */
const bounds: Readonly<Record<string, readonly [min: number, max: number, isWhole: boolean]>> = {
  writes: [1, 10_000_000, false],
  'row-bytes': [1, 16_777_216, true],
  rewrites: [1, 1_000_000, false],
  stores: [1, 1_000, true],
};

/** Of the command line; undefined: none. */
function planProblem(call: Call): string | undefined {
  for (const [flag, [min, max, isWhole]] of Object.entries(bounds)) {
    const given = call.valueOf(flag);
    if (given === undefined) continue;
    const value = given.trim() === '' ? Number.NaN : Number(given);
    const isValid = value >= min && value <= max && (!isWhole || Number.isInteger(value));
    if (!isValid)
      return `--${flag} is a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}, not "${given}".`;
  }
  return undefined;
}
