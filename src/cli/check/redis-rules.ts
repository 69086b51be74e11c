/** What could be better about a Redis server, besides what endangers accepted writes (`server-rules.ts`). */
import { configSet, environment, type Found, type Rule, redisCli, shell } from '../../connection/finding.js';
import type { RedisFacts } from './redis-facts.js';

/** Most keepalive seconds: a client that is gone without a word holds its connection for so long. */
const keepaliveMaxS = 300;
/** Of workers, refreshers, warmers, scheduler, board and an app, as `ecosystem.config.js` has them. */
const connectionsOfSet = 50;
/** Bytes: a batch, and the invalidations of a busy second. */
const batchBytes = 67_108_864;
const feedBytes = 8_388_608;
/** Of a call with as many writes as go in one. */
const inputBytes = 16_777_216;
const clusterSlots = 16_384;

export const redisRules: readonly Rule<RedisFacts>[] = [
  {
    code: 'REDIS_EVICTS_JOBS',
    severity: 'warning',
    about: 'A Redis with the job queues may evict the locks of jobs.',
    find: ({ policy, carries }) =>
      policy?.startsWith('volatile-') && carries !== 'cache'
        ? {
            what: `maxmemory-policy is ${policy}, and the job queues are here`,
            consequence: 'Redis may evict the locks of jobs, which are then done twice.',
            mend: configSet('maxmemory-policy', 'noeviction'),
          }
        : undefined,
  },
  {
    code: 'REDIS_KEEPS_CACHE',
    severity: 'warning',
    about: 'The cache has a Redis to itself, which evicts no entry at its limit.',
    find: ({ policy, carries, info }) =>
      policy === 'noeviction' && carries === 'cache' && info.number('maxmemory') > 0
        ? {
            what: 'maxmemory-policy is noeviction, and the queues are on another server',
            consequence: 'at its limit Redis refuses writes, rather than to evict cached values.',
            mend: configSet('maxmemory-policy', 'volatile-lru'),
          }
        : undefined,
  },
  {
    code: 'REDIS_FSYNC_ALWAYS',
    severity: 'warning',
    about: '`appendfsync` is `always`.',
    find: ({ setting }) =>
      setting('appendfsync') === 'always'
        ? {
            what: 'appendfsync is always',
            consequence: 'every write waits for the disk. Right only where no accepted second may be lost.',
            mend: configSet('appendfsync', 'everysec'),
          }
        : undefined,
  },
  {
    code: 'REDIS_NO_FSYNC_WHILE_REWRITING',
    severity: 'warning',
    about: '`no-appendfsync-on-rewrite` is on.',
    find: ({ isAppendOnly, setting }) =>
      isAppendOnly && setting('no-appendfsync-on-rewrite') === 'yes'
        ? {
            what: 'no-appendfsync-on-rewrite is yes',
            consequence:
              'a crash of the machine while the append-only file is rewritten loses up to half a minute.',
            mend: configSet('no-appendfsync-on-rewrite', 'no'),
          }
        : undefined,
  },
  {
    code: 'REDIS_REWRITE_FAILS',
    severity: 'warning',
    about: 'The append-only file could not be rewritten.',
    find: ({ info }) =>
      info.text('aof_last_bgrewrite_status') === 'err'
        ? {
            what: 'Redis could not rewrite its append-only file',
            consequence:
              'the file grows until the disk is full, and then writes are refused. Look at the disk and the log.',
            mend: redisCli('BGREWRITEAOF'),
          }
        : undefined,
  },
  {
    code: 'REDIS_TIMEOUT',
    severity: 'warning',
    about: '`timeout` ends idle connections.',
    find: ({ setting }) =>
      Number(setting('timeout') ?? 0) > 0
        ? {
            what: `timeout is ${setting('timeout')}`,
            consequence:
              'Redis ends connections that are idle for so many seconds; a write that is on its way then has an unknown outcome.',
            mend: configSet('timeout', 0),
          }
        : undefined,
  },
  {
    code: 'REDIS_KEEPALIVE',
    severity: 'warning',
    about: '`tcp-keepalive` is off, or long.',
    find: ({ setting }) => {
      const seconds = setting('tcp-keepalive');
      if (seconds === undefined || (Number(seconds) > 0 && Number(seconds) <= keepaliveMaxS))
        return undefined;
      return {
        what: `tcp-keepalive is ${seconds}`,
        consequence:
          'connections of clients that are gone without a word stay open, and count against maxclients.',
        mend: configSet('tcp-keepalive', 60),
      };
    },
  },
  {
    code: 'REDIS_MAXCLIENTS',
    severity: 'warning',
    about: '`maxclients` leaves no room for a deploy, which doubles the processes.',
    find: ({ info, setting }) => {
      const max = Number(setting('maxclients') ?? info.number('maxclients'));
      const used = info.number('connected_clients');
      if (max === 0 || max - used >= connectionsOfSet) return undefined;
      return {
        what: `maxclients is ${max}, and ${used} are connected`,
        consequence: `forebay's processes and an app open about ${connectionsOfSet}: what comes when no connection is left is refused.`,
        mend: configSet('maxclients', Math.max(1_000, 2 * (used + connectionsOfSet))),
      };
    },
  },
  {
    code: 'REDIS_OUTPUT_BUFFER',
    severity: 'warning',
    about: '`client-output-buffer-limit` cuts off readers of batches or of invalidations.',
    find: ({ setting }) => [
      ...bufferFound(setting('client-output-buffer-limit'), 'normal', batchBytes),
      ...bufferFound(setting('client-output-buffer-limit'), 'pubsub', feedBytes),
    ],
  },
  {
    code: 'REDIS_INPUT_LIMIT',
    severity: 'warning',
    about: '`proto-max-bulk-len` or `client-query-buffer-limit` is small.',
    find: ({ setting }) =>
      ['proto-max-bulk-len', 'client-query-buffer-limit'].flatMap((name): Found[] => {
        const bytes = Number(setting(name) ?? batchBytes);
        if (bytes >= inputBytes) return [];
        return [
          {
            what: `${name} is ${bytes}`,
            consequence: 'Redis ends the connection of whoever sends more at once, as a large row or many.',
            mend: configSet(name, name === 'proto-max-bulk-len' ? '512mb' : '1gb'),
          },
        ];
      }),
  },
  {
    code: 'REDIS_CLIENT_MEMORY',
    severity: 'warning',
    about: '`maxmemory-clients` is set.',
    find: ({ setting }) =>
      (setting('maxmemory-clients') ?? '0') === '0'
        ? undefined
        : {
            what: `maxmemory-clients is ${setting('maxmemory-clients')}`,
            consequence:
              'Redis ends connections when all together use more, the largest first: those of workers with a batch.',
            mend: configSet('maxmemory-clients', 0),
          },
  },
  {
    code: 'REDIS_NO_REWRITE',
    severity: 'warning',
    about: '`auto-aof-rewrite-percentage` is 0.',
    find: ({ isAppendOnly, setting }) =>
      isAppendOnly && setting('auto-aof-rewrite-percentage') === '0'
        ? {
            what: 'auto-aof-rewrite-percentage is 0',
            consequence:
              'the append-only file is never rewritten: it grows until the disk is full, and then writes are refused.',
            mend: configSet('auto-aof-rewrite-percentage', 100),
          }
        : undefined,
  },
  {
    code: 'REDIS_NOTIFIES',
    severity: 'warning',
    about: '`notify-keyspace-events` is on, which forebay does not need.',
    find: ({ setting }) =>
      (setting('notify-keyspace-events') ?? '') === ''
        ? undefined
        : {
            what: `notify-keyspace-events is ${setting('notify-keyspace-events')}`,
            consequence:
              "Redis publishes a message for every key that is written: nobody of forebay's listens, and its one thread pays.",
            mend: configSet('notify-keyspace-events', ''),
          },
  },
  {
    code: 'REDIS_MIN_REPLICAS',
    severity: 'error',
    about: '`min-replicas-to-write` asks for more replicas than there are.',
    find: ({ info, setting }) => {
      const wanted = Number(setting('min-replicas-to-write') ?? 0);
      const there = info.number('connected_slaves');
      if (wanted <= there) return undefined;
      return {
        what: `min-replicas-to-write is ${wanted}, and ${there} replicas are connected`,
        consequence: 'every write is refused (NOREPLICAS).',
        mend: configSet('min-replicas-to-write', there),
      };
    },
  },
  {
    code: 'REDIS_CLUSTER_NODE',
    severity: 'error',
    about: 'A node of a cluster is given as a single server.',
    find: ({ cluster, settings, variables, address }) =>
      cluster !== undefined && !('nodes' in settings)
        ? {
            what: 'This Redis is a node of a cluster, and is given as a single server',
            consequence: "keys of other nodes can't be reached (MOVED).",
            mend: environment(`${variables}CLUSTER_NODES=${address}`),
          }
        : undefined,
  },
  {
    code: 'REDIS_CLUSTER_SLOTS',
    severity: 'error',
    about: 'Slots of the cluster are served by nobody.',
    find: ({ cluster, address }) => {
      if (cluster === undefined || (cluster.state === 'ok' && cluster.slotsOk === clusterSlots))
        return undefined;
      return {
        what: `The cluster serves ${cluster.slotsOk} of ${clusterSlots} slots (state ${cluster.state})`,
        consequence: "reads and writes of the others' keys fail (CLUSTERDOWN).",
        mend: shell(`redis-cli --cluster fix ${address}`),
      };
    },
  },
  {
    code: 'REDIS_RIGHTS',
    severity: 'error',
    about: 'The user lacks rights on commands, keys or channels.',
    find: ({ missing, user }) =>
      missing.length === 0
        ? undefined
        : {
            what: `The user ${user ?? ''} lacks ${missing.join(' ')}`,
            consequence: 'what needs them fails (NOPERM).',
            mend: redisCli(`ACL SETUSER ${user ?? 'NAME'} ${missing.join(' ')}`),
          },
  },
  {
    code: 'REDIS_COMMANDS',
    severity: 'error',
    about: 'The server does not know commands that are needed.',
    find: ({ unknown }) =>
      unknown.length === 0
        ? undefined
        : {
            what: `Redis does not know ${unknown.join(', ')}`,
            consequence:
              'what needs them fails. Its configuration has renamed them, or it is too old: delete such lines.',
            mend: { at: 'file', line: `rename-command ${unknown[0]} ""` },
          },
  },
  {
    code: 'REDIS_USER_DEFAULT',
    severity: 'warning',
    about: 'The user is `default`, whom Redis allows everything.',
    find: ({ user, prefix }) =>
      user === 'default'
        ? {
            what: 'The user is default, whom Redis allows everything',
            consequence:
              'whoever gets at the password can do more than forebay: set this user as REDIS_USERNAME, with its password.',
            mend: redisCli(
              `ACL SETUSER forebay on >PASSWORD ~{${prefix}* ~${prefix}:* &{${prefix}}:* &__redis__:invalidate +@all -@admin -@dangerous +info +config|get +client +cluster|info +cluster|slots +cluster|shards`,
            ),
          }
        : undefined,
  },
  {
    code: 'REDIS_UNSEEN',
    severity: 'warning',
    about: 'The user may not ask what the check must know.',
    find: ({ unseen, user }) =>
      unseen.length === 0
        ? undefined
        : {
            what: `The user may not run ${unseen.join(', ')}`,
            consequence: `${unseen.includes('INFO') ? 'hardly anything' : 'not everything'} of this server could be looked at.`,
            mend: redisCli(`ACL SETUSER ${user ?? 'NAME'} ${unseen.map(rightOf).join(' ')}`),
          },
  },
];

function rightOf(command: string): string {
  return `+${command.toLowerCase().replace(' ', '|')}`;
}

/** `normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60`. */
function bufferFound(limits: string | undefined, kind: 'normal' | 'pubsub', bytesMin: number): Found[] {
  const [, hard = '0', soft = '0'] = new RegExp(`${kind} (\\d+) (\\d+) (\\d+)`).exec(limits ?? '') ?? [];
  const limit = Math.min(...[hard, soft].map(Number).filter((bytes) => bytes > 0));
  if (limit >= bytesMin) return [];
  const readers = kind === 'normal' ? 'workers that read batches' : 'clients that hear of changed values';
  return [
    {
      what: `client-output-buffer-limit of ${kind} clients is ${limit} bytes`,
      consequence: `Redis cuts off ${readers}.`,
      mend: configSet(
        'client-output-buffer-limit',
        kind === 'normal' ? 'normal 0 0 0' : 'pubsub 33554432 8388608 60',
      ),
    },
  ];
}
