/** Redis's keys, as every version of forebay must find them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  fieldOf,
  laneKeys,
  ledgerLane,
  letterKey,
  partitionsKey,
  persistedChannel,
  queuePrefix,
  reservedStoreNames,
  splitField,
} from '../../src/keys.js';

it('the keys of a lane share one hash tag and are told apart from entries', () => {
  const keys = laneKeys('forebay:tasks/3');
  expect(keys).toEqual({
    entryPrefix: '{forebay:tasks/3}:',
    dirty: '{forebay:tasks/3}:dirty',
    order: '{forebay:tasks/3}:order',
    sealed: '{forebay:tasks/3}:sealed',
    meta: '{forebay:tasks/3}:meta',
    dead: '{forebay:tasks/3}:dead',
    waiting: '{forebay:tasks/3}:waiting',
    retries: '{forebay:tasks/3}:retries',
    foreign: '{forebay:tasks/3}:foreign',
    round: '{forebay:tasks/3}:round',
  });
  const { entryPrefix, ...own } = keys;
  expect(Object.values(own).map((key) => key.slice(entryPrefix.length))).toEqual(reservedStoreNames);
});

it('a field gives its store and id key back', () => {
  const store = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/);
  fc.assert(
    fc.property(store, fc.string({ unit: 'binary' }), (name, idKey) => {
      expect(splitField(fieldOf(name, idKey))).toEqual({ store: name, idKey });
    }),
  );
});

it('the keys of all lanes together are each in a slot of their own', () => {
  expect(partitionsKey('app')).toBe('{app}:partitions');
  expect(persistedChannel('app')).toBe('{app}:persisted');
  expect(queuePrefix('app')).toBe('{app:queues}');
});

it("a lane's name in the ledger has the prefix in it, so that two prefixes on one database do not fence each other", () => {
  expect(ledgerLane('app', 'tasks/3')).toBe('app:tasks/3');
});

it('a dead letter has its key in the slot of its lane', () => {
  expect(letterKey(laneKeys('app:tasks/3'), 'tasks:t1')).toBe('{app:tasks/3}:dead:tasks:t1');
});
