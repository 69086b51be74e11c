/** The commands about what the database has refused, in the order of `forebay`'s help. */
import { toMs } from '../operations/duration.js';
import { type Command, done, durationProblem, type Flag, json } from './command.js';

const all: Flag = { name: 'all', about: 'every one' };

const refusedCommand: Command = {
  name: 'refused',
  about: 'what the database has refused lately, by error',
  words: ['[STORE]'],
  flags: [json, { name: 'since', value: 'DURATION', about: 'how far back (default: all there is)' }],
  examples: [
    { line: 'forebay refused --since 1h', about: 'of the last hour' },
    { line: 'forebay refused users --json', about: 'of one store, for programs' },
  ],
  problem: (call) => durationProblem(call.valueOf('since')),
  run: async (call, io) => {
    const { refused } = await import('./refused.js');
    const options = { isJson: call.has('json'), sinceMs: toMs(call.valueOf('since') ?? '') };
    return done(refused(call.words[0], io, options));
  },
};

const deadLettersCommand: Command = {
  name: 'dead-letters',
  about: 'each record that the database refused, and why',
  words: ['[WHICH]'],
  flags: [json],
  examples: [
    { line: 'forebay dead-letters', about: 'all' },
    { line: 'forebay dead-letters users:42 --json', about: 'one, with what was written' },
  ],
  run: async (call, io) => {
    const { listDeadLetters } = await import('./dead-letters.js');
    return done(listDeadLetters(call.words[0], io, { isJson: call.has('json') }));
  },
};

function settling(name: 'replay' | 'discard', about: string, example: string): Command {
  return {
    name,
    about,
    words: ['[WHICH]'],
    flags: [all],
    examples: [
      { line: `forebay ${name} users:42`, about: 'one record' },
      { line: `forebay ${name} users`, about: 'all of a store' },
      { line: `forebay ${name} --all`, about: example },
    ],
    problem: (call) =>
      call.has('all') === call.words.length > 0 ? 'Give either WHICH or --all.' : undefined,
    run: async (call, io) => {
      const { settleDeadLetters } = await import('./dead-letters.js');
      return done(settleDeadLetters(name, call.words[0], io));
    },
  };
}

export const letterCommands: readonly Command[] = [
  refusedCommand,
  deadLettersCommand,
  settling('replay', 'accepts dead letters again, as if written now', 'once the cause is mended'),
  settling('discard', 'drops dead letters for good', 'all there are'),
];
