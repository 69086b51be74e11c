/**
 * What the user of Redis may not do, and must: each command is queued in a transaction that is given up, for
 * Redis looks at the rights when it queues. So nothing is changed, and no right to look at rights is needed.
 */

import { laneTag } from '../../buffer/lane-tags.js';
import type { Redis } from '../../connection/client.js';
import { filledChannel, invalidationsChannel, laneKeys, persistedChannel, queuePrefix } from '../../keys.js';

/** As ACL SETUSER takes it: `+hset`, `~{forebay*`, `&{forebay}:*`. */
export type Right = string;

/** Of forebay's scripts and calls, and of BullMQ's, by the arguments behind their key. */
const ofKeys: readonly (readonly [arguments_: readonly string[], names: string])[] = [
  [[], 'del exists get hgetall hkeys hlen incr llen lpop mget persist pttl rpop scard smembers type unlink'],
  [[], 'xlen zcard zpopmin'],
  [['1'], 'hdel hexists hget hmget incrby lindex lpos lpush pexpire pexpireat rename rpush sadd set'],
  [['1'], 'sismember srem xdel zrem zmscore zscore bzpopmin'],
  [['1', '1'], 'hincrby hmset hset hsetnx lrange lrem lset ltrim xrange zadd zcount zincrby zlexcount'],
  [
    ['1', '1'],
    'zrange zrangebylex zrangebyscore zremrangebyrank zremrangebyscore zrevrange zrevrangebyscore',
  ],
  [['*', 'a', '1'], 'xadd'],
  [['MAXLEN', '1'], 'xtrim'],
];

/** Those whose keys stand elsewhere, or that have none; K: a key. */
const others: readonly (readonly string[])[] = [
  ['rpoplpush', 'K', 'K'],
  ['xread', 'STREAMS', 'K', '0'],
  ['zunionstore', 'K', '1', 'K'],
  ['eval', 'return 1', '1', 'K'],
  ['evalsha', '0', '1', 'K'],
  ['publish', 'C', ''],
  ['subscribe', 'C'],
  ['scan', '0'],
  ['time'],
  ['ping'],
  ['info'],
  ['client|id'],
  ['client|info'],
  ['client|kill', 'ID', '1', 'ADDR', ''],
  ['client|setname', 'forebay-check'],
  ['client|tracking', 'OFF'],
];

/** Every command that is tried, as `ACL SETUSER` names it. */
export const neededCommands: readonly (readonly string[])[] = [
  ...ofKeys.flatMap(([args, names]) => names.split(' ').map((name) => [name, 'K', ...args])),
  ...others,
];

interface Probe {
  readonly words: readonly string[];
  readonly right: Right;
  /** What Redis says when it is this right that is missing. */
  readonly denied: RegExp;
}

/** What stands in the way of commands that are needed. */
export interface Hindrances {
  /** Rights that the user lacks, sorted. */
  readonly missing: readonly Right[];
  /** Commands that the server does not know. */
  readonly unknown: readonly string[];
}

export async function readHindrances(redis: Redis, prefix: string): Promise<Hindrances> {
  const refusal = await redis.multi({ pipeline: false }).then(() => '', String);
  if (refusal !== '') return { missing: refusal.includes('NOPERM') ? ['+@transaction'] : [], unknown: [] };
  const answers = await Promise.all(
    probesOf(prefix).map(async (probe) => {
      const [name = '', ...args] = probe.words;
      return { ...probe, answer: await redis.call(name, ...args).then(() => '', String) };
    }),
  );
  await redis.discard();
  const missing = answers.filter(({ answer, denied }) => denied.test(answer)).map(({ right }) => right);
  const unknown = answers.filter(({ answer }) => /unknown (sub)?command/i.test(answer));
  return {
    missing: [...new Set(missing)].sort(),
    unknown: [...new Set(unknown.map(({ words: [name = ''] }) => name.toUpperCase()))].sort(),
  };
}

function probesOf(prefix: string): Probe[] {
  const key = laneKeys(laneTag(prefix, 'check/0', 'spread')).meta;
  const [channel] = channelsOf(prefix) as [string];
  const filled = (word: string): string => ({ K: key, C: channel })[word] ?? word;
  return [
    ...neededCommands.map(([name = '', ...args]) => ({
      words: [...name.split('|'), ...args.map(filled)],
      right: `+${name}`,
      denied: /NOPERM.* to run /,
    })),
    ...[key, `${queuePrefix(prefix)}:check`, `${prefix}:check`].map((one) => ({
      words: ['set', one, '1'],
      right: keyPattern(one, prefix),
      denied: /NOPERM.*key/,
    })),
    ...channelsOf(prefix).map((one) => ({
      words: ['publish', one, ''],
      right: one.startsWith('{') ? `&{${escaped(prefix)}}:*` : `&${one}`,
      denied: /NOPERM.*channel/,
    })),
  ];
}

function channelsOf(prefix: string): string[] {
  return [persistedChannel(prefix), filledChannel(prefix), invalidationsChannel];
}

/** All of one kind by one pattern: keys with a hash tag, and those without. */
function keyPattern(key: string, prefix: string): Right {
  return key.startsWith('{') ? `~{${escaped(prefix)}*` : `~${escaped(prefix)}:*`;
}

function escaped(prefix: string): string {
  return prefix.replace(/[\\*?[\]]/g, String.raw`\$&`);
}
