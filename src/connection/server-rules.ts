/** What of a Redis server endangers accepted writes: told at every start, and by `forebay check`. */
import { configSet, environment, type Rule, shell } from './finding.js';
import type { ServerFacts } from './server-facts.js';

/** LPOP with a count is of 6.2. */
const versionMin = [6, 2] as const;

export const serverRules: readonly Rule<ServerFacts>[] = [
  {
    code: 'REDIS_TOO_OLD',
    severity: 'fatal',
    about: 'The server is older than forebay can use.',
    find: ({ version }) => {
      const [major = 0, minor = 0] = version.split('.').map(Number);
      if (version === '' || major > versionMin[0] || (major === versionMin[0] && minor >= versionMin[1])) {
        return undefined;
      }
      return {
        what: `This is Redis ${version}`,
        consequence: `forebay needs ${versionMin.join('.')} or newer.`,
        mend: shell('apt-get install redis-server'),
      };
    },
  },
  {
    code: 'REDIS_REPLICA',
    severity: 'fatal',
    about: 'The address is that of a replica.',
    find: ({ info }) => {
      if (info.text('role') !== 'slave') return undefined;
      const [host, port] = [info.text('master_host'), info.text('master_port')];
      return {
        what: 'This Redis is a replica',
        consequence: 'it takes no writes. Connect to its primary.',
        mend: environment(`REDIS_HOST=${host} REDIS_PORT=${port}`),
      };
    },
  },
  {
    code: 'REDIS_EVICTS_WRITES',
    severity: 'error',
    about: '`maxmemory-policy` lets Redis evict any key.',
    find: ({ policy }) =>
      policy?.startsWith('allkeys-')
        ? {
            what: `maxmemory-policy is ${policy}`,
            consequence: 'Redis may evict accepted writes before they are in the database.',
            mend: configSet('maxmemory-policy', 'noeviction'),
          }
        : undefined,
  },
  {
    code: 'REDIS_NO_APPENDONLY',
    severity: 'error',
    about: 'There is no append-only file.',
    find: (facts) =>
      facts.isAppendOnly
        ? undefined
        : {
            what: hasSnapshots(facts) ? 'appendonly is off' : 'appendonly is off and there are no snapshots',
            consequence: hasSnapshots(facts)
              ? 'a crash of Redis loses what was accepted since the last snapshot.'
              : 'a crash of Redis loses every accepted write.',
            mend: configSet('appendonly', 'yes'),
          },
  },
  {
    code: 'REDIS_APPENDONLY_FAILS',
    severity: 'error',
    about: 'The append-only file could not be written.',
    find: ({ isAppendOnly, info }) =>
      isAppendOnly && info.text('aof_last_write_status') === 'err'
        ? {
            what: 'Redis could not write its append-only file',
            consequence: 'writes are refused, and a crash loses what was accepted since then.',
            mend: shell('df -h'),
          }
        : undefined,
  },
  {
    code: 'REDIS_NO_FSYNC',
    severity: 'error',
    about: '`appendfsync` is `no`.',
    find: ({ isAppendOnly, setting }) =>
      isAppendOnly && setting('appendfsync') === 'no'
        ? {
            what: 'appendfsync is no',
            consequence: 'a crash of the machine loses what was accepted in the last half minute or so.',
            mend: configSet('appendfsync', 'everysec'),
          }
        : undefined,
  },
];

function hasSnapshots({ info, setting }: ServerFacts): boolean {
  if (setting('save') === '') return false;
  return info.number('rdb_last_save_time') > 0 && info.text('rdb_last_bgsave_status') === 'ok';
}
