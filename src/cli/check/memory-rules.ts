/** What of a Redis server's memory and snapshots makes it refuse writes, now or soon. */
import { configSet, type Mend, type Rule } from '../../connection/finding.js';
import type { ServerInfo } from '../../connection/server-info.js';
import type { RedisFacts } from './redis-facts.js';

/** The rest is for the copy that a rewrite of the append-only file makes, for buffers, and for the system. */
const memoryShareMax = 0.75;
const usedShareMax = 0.9;

export const memoryRules: readonly Rule<RedisFacts>[] = [
  {
    code: 'REDIS_MEMORY_UNLIMITED',
    severity: 'warning',
    about: '`maxmemory` is not set.',
    find: ({ info }) =>
      maxmemory(info) === 0
        ? {
            what: 'maxmemory is not set',
            consequence: 'a Redis that grows is ended by the system, rather than refusing writes.',
            mend: limitMend(info),
          }
        : undefined,
  },
  {
    code: 'REDIS_MEMORY_OVER_MACHINE',
    severity: 'warning',
    about: "`maxmemory` is more than three quarters of the machine's memory.",
    find: ({ info }) => {
      const share = maxmemory(info) / info.number('total_system_memory');
      if (!(share > memoryShareMax)) return undefined;
      return {
        what: `maxmemory is ${percent(share)} of the machine's memory`,
        consequence: 'a rewrite of the append-only file may not fit, and the system ends Redis.',
        mend: limitMend(info),
      };
    },
  },
  {
    code: 'REDIS_MEMORY_FULL',
    severity: 'error',
    about: 'What is stored has reached `maxmemory`.',
    find: ({ info, policy }) =>
      usedShare(info) >= 1 && policy === 'noeviction'
        ? {
            what: `${percent(usedShare(info))} of maxmemory is used`,
            consequence: 'Redis refuses writes (OOM).',
            mend: limitMend(info),
          }
        : undefined,
  },
  {
    code: 'REDIS_MEMORY_NEARLY_FULL',
    severity: 'warning',
    about: 'What is stored comes near to `maxmemory`.',
    find: ({ info }) =>
      usedShare(info) > usedShareMax && usedShare(info) < 1
        ? {
            what: `${percent(usedShare(info))} of maxmemory is used`,
            consequence: 'at its limit Redis refuses writes. Raise it, or let the workers drain the backlog.',
            mend: limitMend(info),
          }
        : undefined,
  },
  {
    code: 'REDIS_SNAPSHOTS_FAIL',
    severity: 'error',
    about: "Redis can't save its data, and refuses writes for that (MISCONF).",
    find: ({ info, setting }) =>
      hasFailed(info) && stopsWrites(setting)
        ? {
            what: 'Redis could not save its last snapshot',
            consequence:
              'it refuses every write (MISCONF) until it can. Look at the disk and the log; the line lets writes through meanwhile.',
            mend: configSet('stop-writes-on-bgsave-error', 'no'),
          }
        : undefined,
  },
  {
    code: 'REDIS_SNAPSHOT_FAILED',
    severity: 'warning',
    about: 'The last snapshot failed; writes go on.',
    find: ({ info, setting }) =>
      hasFailed(info) && !stopsWrites(setting)
        ? {
            what: 'Redis could not save its last snapshot',
            consequence:
              "there is no new copy of its data, and a replica can't be set up. Look at the disk and the log.",
            mend: { at: 'redis-cli', line: 'BGSAVE' },
          }
        : undefined,
  },
];

function maxmemory(info: ServerInfo): number {
  return info.text('maxmemory') === undefined ? Number.NaN : info.number('maxmemory');
}

function usedShare(info: ServerInfo): number {
  return maxmemory(info) > 0 ? info.number('used_memory') / maxmemory(info) : 0;
}

function hasFailed(info: ServerInfo): boolean {
  return info.text('rdb_last_bgsave_status') === 'err';
}

function stopsWrites(setting: RedisFacts['setting']): boolean {
  return setting('save') !== '' && setting('stop-writes-on-bgsave-error') !== 'no';
}

/** As much as fits. */
function limitMend(info: ServerInfo): Mend {
  const machine = info.number('total_system_memory');
  const bytes = machine > 0 ? memoryShareMax * machine : 2 * info.number('used_memory');
  return configSet('maxmemory', `${Math.floor(bytes / 1_048_576)}mb`);
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
