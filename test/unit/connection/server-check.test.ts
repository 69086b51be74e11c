/** What endangers accepted writes, as a server's own facts tell it. */
import { describe, expect, it, test } from 'vitest';
import {
  accessFindings,
  type ServerFacts,
  serverFindings,
  serverWarnings,
} from '../../../src/connection/server-check.js';
import { redisSettings } from '../../../src/redis-settings.js';

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

const gigabyte = 1_073_741_824;

describe('R6 the check tells errors and warnings apart', () => {
  test.each<[Partial<ServerFacts>, string, string]>([
    [{ version: '6.0.16' }, 'fatal', 'needs 6.2 or newer'],
    [{ role: 'slave' }, 'fatal', 'is a replica'],
    [{ maxmemoryPolicy: 'allkeys-lru' }, 'error', 'may evict accepted writes'],
    [{ isAppendOnly: false }, 'error', 'appendonly is off'],
    [{ appendfsync: 'no' }, 'error', 'appendfsync is no'],
    [{ isAppendOnlyWritten: false }, 'error', 'could not write its append-only file'],
    [{ appendfsync: 'always' }, 'warning', 'every write waits for the disk'],
    [{ maxmemory: 0 }, 'warning', 'maxmemory is not set'],
    [{ maxmemory: 7 * gigabyte, systemMemory: 8 * gigabyte }, 'warning', "88 % of the machine's memory"],
    [{ maxmemory: gigabyte, usedMemory: 0.95 * gigabyte }, 'warning', '95 % of maxmemory is used'],
    [{ user: 'default' }, 'warning', 'The user is default'],
  ])('%j: %s', (facts, severity, what) => {
    const [finding, ...more] = serverFindings({ ...safe, ...facts });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ severity, what: expect.stringContaining(what) });
    expect(finding?.advice).not.toBe('');
  });

  it('and has nothing to say of a server as it should be', () => {
    const memory = { maxmemory: gigabyte, usedMemory: 1, systemMemory: 8 * gigabyte };
    expect(serverFindings({ ...safe, ...memory, appendfsync: 'everysec', user: 'forebay' })).toEqual([]);
  });

  test.each([
    ['redis://127.0.0.1', 0],
    ['redis://localhost', 0],
    ['redis://[::1]', 0],
    ['redis://cache', 2],
    ['redis://:x@cache', 1],
    ['rediss://:x@cache', 0],
  ])('of the way to %s it has %d warnings', (url, count) => {
    expect(accessFindings(redisSettings(url))).toHaveLength(count);
  });
});
