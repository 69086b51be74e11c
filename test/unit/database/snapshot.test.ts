import { expect, test } from 'vitest';
import { parseSnapshot } from '../../../src/database/snapshot.js';

const wrapped = 2n ** 32n;

test.each<[string, string, number, boolean]>([
  ['before all that are under way', '10:20:12,15', 9, true],
  ['among them', '10:20:12,15', 12, false],
  ['between them', '10:20:12,15', 13, true],
  ['that began later', '10:20:12,15', 20, false],
  ['with nothing under way', '20:20:', 19, true],
  ['of the round before', `${wrapped}:${wrapped + 5n}:`, 2 ** 32 - 1, true],
  ['of this round', `${wrapped + 1n}:${wrapped + 5n}:${wrapped + 3n}`, 3, false],
  ['of the next round', `${wrapped - 9n}:${wrapped - 5n}:`, 2, false],
])('a snapshot sees a transaction %s as Postgres does', (_, text, xid, isSeen) => {
  expect(parseSnapshot(text).sees(xid)).toBe(isSeen);
});
