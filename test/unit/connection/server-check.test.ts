/** What endangers accepted writes, as a server's own facts tell it. */
import { describe, expect, it, test } from 'vitest';
import { type ServerFacts, serverWarnings } from '../../../src/connection/server-check.js';

const safe: ServerFacts = {
  version: '7.2.0',
  maxmemoryPolicy: 'noeviction',
  isAppendOnly: true,
  hasSnapshots: false,
  role: 'master',
};

const warningsOf = (facts: Partial<ServerFacts>): string[] =>
  serverWarnings({ ...safe, ...facts }).map(({ what }) => what);

describe('a server is warned of', () => {
  test.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])(
    'when it may evict any key (%s)',
    (maxmemoryPolicy) => {
      const [warning, ...more] = serverWarnings({ ...safe, maxmemoryPolicy });
      expect(more).toEqual([]);
      expect(warning?.what).toContain(`maxmemory-policy is ${maxmemoryPolicy}`);
      expect(warning?.advice).toContain('noeviction');
    },
  );

  it('when a crash would lose what came after the last snapshot', () => {
    expect(warningsOf({ isAppendOnly: false, hasSnapshots: true })).toEqual([
      expect.stringContaining('since the last snapshot'),
    ]);
  });

  it('when a crash would lose everything', () => {
    expect(warningsOf({ isAppendOnly: false })).toEqual([
      expect.stringContaining('loses every accepted write'),
    ]);
  });

  it('for each thing that is wrong', () => {
    expect(warningsOf({ isAppendOnly: false, maxmemoryPolicy: 'allkeys-lru' })).toHaveLength(2);
  });
});

test.each([undefined, 'noeviction', 'volatile-lru', 'volatile-ttl'])(
  'a server with AOF and maxmemory-policy %s is not warned of',
  (maxmemoryPolicy) => {
    expect(warningsOf({ maxmemoryPolicy })).toEqual([]);
  },
);
