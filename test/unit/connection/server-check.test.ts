/** What endangers accepted writes, as a server's own facts tell it. */
import { describe, expect, it, test } from 'vitest';
import { type Finding, findingsOf } from '../../../src/connection/finding.js';
import { toServerFacts } from '../../../src/connection/server-facts.js';
import { ServerInfo } from '../../../src/connection/server-info.js';
import { serverRules } from '../../../src/connection/server-rules.js';

type Texts = Readonly<Record<string, string>>;

const safe: Texts = {
  redis_version: '7.2.0',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  rdb_last_save_time: '0',
  role: 'master',
};

function findings(info: Texts = {}, config: Texts = {}): Finding[] {
  const lines = Object.entries({ ...safe, ...info }).map(([name, value]) => `${name}:${value}`);
  return findingsOf(
    serverRules,
    toServerFacts(new ServerInfo(lines.join('\r\n')), new Map(Object.entries(config))),
  );
}

describe('a server is told of', () => {
  test.each<[Texts, Texts, string, string, string]>([
    [{ redis_version: '6.0.16' }, {}, 'REDIS_TOO_OLD', 'fatal', 'needs 6.2 or newer'],
    [
      { role: 'slave', master_host: 'h', master_port: '1' },
      {},
      'REDIS_REPLICA',
      'fatal',
      'Connect to its primary',
    ],
    [{ maxmemory_policy: 'allkeys-lru' }, {}, 'REDIS_EVICTS_WRITES', 'error', 'may evict accepted writes'],
    [{ maxmemory_policy: 'allkeys-random' }, {}, 'REDIS_EVICTS_WRITES', 'error', 'may evict accepted writes'],
    [{ aof_enabled: '0' }, {}, 'REDIS_NO_APPENDONLY', 'error', 'loses every accepted write'],
    [
      { aof_enabled: '0', rdb_last_save_time: '9', rdb_last_bgsave_status: 'ok' },
      {},
      'REDIS_NO_APPENDONLY',
      'error',
      'since the last snapshot',
    ],
    [{ aof_last_write_status: 'err' }, {}, 'REDIS_APPENDONLY_FAILS', 'error', 'writes are refused'],
    [{}, { appendfsync: 'no' }, 'REDIS_NO_FSYNC', 'error', 'half minute'],
  ])('%j %j: %s', (info, config, code, severity, consequence) => {
    const [finding, ...more] = findings(info, config);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code, severity, consequence: expect.stringContaining(consequence) });
    expect(finding?.mend.line).not.toBe('');
  });

  it('for each thing that is wrong', () => {
    expect(findings({ aof_enabled: '0', maxmemory_policy: 'allkeys-lru' })).toHaveLength(2);
  });
});

test.each(['noeviction', 'volatile-lru', 'volatile-ttl'])(
  'a server with AOF and maxmemory-policy %s is as it should be',
  (policy) => {
    expect(findings({ maxmemory_policy: policy })).toEqual([]);
  },
);

test('a server that tells nothing is not told of', () => {
  expect(findingsOf(serverRules, toServerFacts(new ServerInfo(''), new Map()))).toEqual([]);
});
