/** The queue of writes alone: which writes go in which call, what each is told, and in which order; with a buffer that answers when it is told to. */
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Lane, Lanes } from '../../../../src/buffer/lane.js';
import type { Accepted, Write, WriteReply } from '../../../../src/buffer/step-replies.js';
import type { WritePlan } from '../../../../src/client/writing/write-options.js';
import { WriteQueue, type WriteQueueDependencies } from '../../../../src/client/writing/write-queue.js';
import type { RedisClient } from '../../../../src/connection/redis.js';
import { record } from '../../../../src/definitions/record.js';
import { defineStores, type LaneGroup } from '../../../../src/definitions/stores.js';
import type { ForebayEvent } from '../../../../src/events.js';

/** A call that the buffer was given, and its answer. */
interface Call {
  readonly lane: string;
  readonly fields: string[];
  answer(replies?: WriteReply[], wake?: boolean): Promise<void>;
  fail(error: Error): Promise<void>;
}

let calls: Call[];
let woken: string[];
let events: ForebayEvent[];
let redis: EventEmitter & { status: string };
let acked: (lane: string) => void;
let wake: WriteQueueDependencies['queue']['wake'];
let queue: WriteQueue;
let missing: string | undefined;
let known: Lanes;
let moved: () => Promise<void>;

const stores = defineStores({
  things: record({
    id: 'id',
    partitions: 2,
    load: async () => [] as { id: string }[],
    persist: async () => undefined,
  }),
});
let lanes: [Lane, Lane];

const plan: WritePlan = { durability: 'memory', onFull: 'reject', onFullWaitMs: 60_000 };
const patient: WritePlan = { ...plan, onFull: 'wait' };
const durable: WritePlan = { ...plan, durability: 'replicated' };

beforeEach(() => {
  known = new Lanes(stores, 'test');
  lanes = known.all as [Lane, Lane];
  moved = async () => undefined;
  calls = [];
  woken = [];
  events = [];
  missing = undefined;
  redis = Object.assign(new EventEmitter(), { status: 'ready' });
  wake = async (lane) => void woken.push(lane);
  const connection = { redis: redis as unknown as RedisClient, buffer: { write: take } };
  queue = new WriteQueue({
    route: connection,
    durable: { open: async () => ({ write: take }) as never, missing: async () => missing },
    queue: { wake: (lane, delayMs) => wake(lane, delayMs) },
    emit: (event) => events.push(event),
    lanes: known,
    routes: { moved: () => moved() },
    watch: {
      onPersisted: async (listener) => {
        acked = listener;
        return () => undefined;
      },
    },
  });
});

afterEach(() => void vi.useRealTimers());

/** Each write is accepted under its place in the call, unless the answer says else. */
function take(lane: Lane, writes: readonly Write[]): Promise<Accepted> {
  return new Promise((resolve, reject) => {
    calls.push({
      lane: lane.name,
      fields: writes.map(({ field }) => field),
      answer: async (replies = writes.map((_, i) => ({ version: `${i}` })), wake = false) => {
        resolve({ wake, generation: 'g', replies });
        await settled();
      },
      fail: async (error) => {
        reject(error);
        await settled();
      },
    });
  });
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await nextTurn();
}

const write = (id: string): Write => ({ op: 'put', field: `things:${id}`, payload: '{}' });
const submit = async (id: string, how = plan, lane = lanes[0]): Promise<string> =>
  String((await queue.submit(lane, [write(id)], how)).version);
const full: WriteReply = { refused: 'full' };
const replyError = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

describe('writes of one lane', () => {
  it('that are issued in one turn share a call, in their order; those of another lane have their own', async () => {
    const all = [submit('a'), submit('b'), submit('x', plan, lanes[1]), submit('a')];
    await settled();
    expect(calls.map(({ fields }) => fields)).toEqual([['things:a', 'things:b', 'things:a'], ['things:x']]);
    for (const call of calls) await call.answer();
    expect(await Promise.all(all)).toEqual(['0', '1', '0', '2']);
  });

  it('wait for the call that is under way, and then go together', async () => {
    const first = submit('a');
    await settled();
    const later = [submit('b'), submit('c')];
    await settled();
    expect(calls).toHaveLength(1);
    await calls[0]?.answer();
    expect(calls[1]?.fields).toEqual(['things:b', 'things:c']);
    await calls[1]?.answer();
    await Promise.all([first, ...later]);
  });

  it('go 128 at a time at most, and no more characters than a call may have', async () => {
    const many = Array.from({ length: 130 }, (_, i) => submit(`${i}`));
    const large = { ...write('large'), payload: 'x'.repeat(1_048_576) };
    const two = [queue.submit(lanes[1], [large], plan), queue.submit(lanes[1], [large], plan)];
    await settled();
    expect(calls.map(({ fields }) => fields.length)).toEqual([128, 1]);
    for (const call of calls.splice(0)) await call.answer();
    expect(calls.map(({ fields }) => fields.length)).toEqual([2, 1]);
    for (const call of calls) await call.answer();
    await Promise.all([...many, ...two]);
  });

  it('that want to be on a replica go by themselves, and are told when they are not', async () => {
    missing = 'no replica has it';
    const outcomes = Promise.allSettled([
      submit('a'),
      submit('b', durable),
      submit('c', durable),
      submit('d'),
    ]);
    for (const fields of [['things:a'], ['things:b', 'things:c'], ['things:d']]) {
      await settled();
      expect(calls.at(-1)?.fields).toEqual(fields);
      await calls.at(-1)?.answer();
    }
    const notMet = { status: 'rejected', reason: { code: 'DURABILITY_NOT_MET' } };
    expect(await outcomes).toMatchObject([{ value: '0' }, notMet, notMet, { value: '0' }]);
  });
});

describe('an answer', () => {
  it('is each write’s own: a version, or why it was not accepted', async () => {
    const outcomes = Promise.allSettled([submit('a'), submit('b'), submit('c'), submit('d')]);
    await settled();
    await calls[0]?.answer([
      { version: '7' },
      full,
      { refused: 'overflow' },
      { refused: 'conflict', found: '6' },
    ]);
    expect(await outcomes).toMatchObject([
      { value: '7' },
      { reason: { code: 'BACKLOG_FULL', retryable: true } },
      { reason: { code: 'COUNTER_OVERFLOW' } },
      { reason: { code: 'CONFLICT', context: { version: 6n } } },
    ]);
  });

  it('that asks for a job has one added; one that can’t be added is told of, and the write is accepted', async () => {
    wake = () => Promise.reject(new Error('away'));
    const first = submit('a');
    await settled();
    await calls[0]?.answer(undefined, true);
    expect(await first).toBe('0');
    expect(events).toMatchObject([{ type: 'wake.failed', lane: lanes[0].name }]);
    await queue.idle();
  });

  it('that is a refusal is that of the whole call, and the next call goes', async () => {
    const outcomes = Promise.allSettled([submit('a'), submit('b')]);
    await settled();
    const later = submit('c');
    await calls[0]?.fail(replyError('READONLY You can’t write'));
    const refused = { reason: { code: 'REDIS_REFUSED', retryable: true } };
    expect(await outcomes).toMatchObject([refused, refused]);
    await calls[1]?.answer();
    expect(await later).toBe('0');
  });

  it('that never came leaves its own call in doubt, and no other', async () => {
    const doubtful = submit('a');
    await settled();
    const later = submit('b');
    const outcome = expect(doubtful).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    await calls[0]?.fail(new Error('Connection is closed.'));
    await outcome;
    await calls[1]?.answer();
    expect(await later).toBe('0');
  });
});

describe('a lane without room', () => {
  it('has what can wait go again once a batch of it was acknowledged, before what came later for the same row', async () => {
    const waits = submit('a', patient);
    await settled();
    await calls[0]?.answer([full]);
    const [behind, other] = [submit('a'), submit('b')];
    await settled();
    expect(calls[1]?.fields).toEqual(['things:b']);
    await calls[1]?.answer();
    expect(await other).toBe('0');
    acked(lanes[0].name);
    await settled();
    expect(calls[2]?.fields).toEqual(['things:a', 'things:a']);
    await calls[2]?.answer();
    expect(await Promise.all([waits, behind])).toEqual(['0', '1']);
  });

  it('takes nothing back that a later write of the row has overtaken in the same call', async () => {
    const outcomes = Promise.allSettled([submit('a', patient), submit('a', patient)]);
    await settled();
    await calls[0]?.answer([full, { version: '2' }]);
    expect(await outcomes).toMatchObject([{ reason: { code: 'BACKLOG_FULL' } }, { value: '2' }]);
  });
});

describe('a queue that is closed', () => {
  it('has no write wait for room any more: they say so at once, and what was under way is answered', async () => {
    const outcomes = Promise.allSettled([submit('a', patient), submit('b', patient, lanes[1])]);
    await settled();
    await calls[0]?.answer([full]);
    const closing = queue.close();
    await calls[1]?.answer([full]);
    await closing;
    expect(await outcomes).toMatchObject([{ reason: { code: 'CLOSED' } }, { reason: { code: 'CLOSED' } }]);
    expect(calls).toHaveLength(2);
  });
});

describe('lanes of which there is another number', () => {
  const other: WriteReply = { refused: 'partitions' };
  const adopt = async () => {
    const [group] = known.groups as [LaneGroup];
    known.adopt(group, { partitions: 1, tags: 'spread', epoch: 17 });
  };

  it('get what another number has refused, in its order, once all that was on its way is answered', async () => {
    moved = adopt;
    const all = [submit('a'), submit('x', plan, lanes[1])];
    await settled();
    const later = [submit('a'), submit('b')];
    await calls[0]?.answer([other]);
    await settled();
    expect(calls).toHaveLength(2);
    await calls[1]?.answer();
    await settled();
    expect(calls[2]).toMatchObject({ lane: 'things/0', fields: ['things:a', 'things:a', 'things:b'] });
    await calls[2]?.answer();
    expect(await Promise.all([...all, ...later])).toEqual(['0', '0', '1', '2']);
  });

  it('get at once what comes by a lane of before', async () => {
    const [, before] = lanes;
    await adopt();
    const one = submit('x', plan, before);
    await settled();
    expect(calls[0]?.lane).toBe('things/0');
    await calls[0]?.answer();
    expect(await one).toBe('0');
  });

  it('that stay closed refuse a write after some seconds, by an error that says to repeat it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    moved = async () => {
      vi.setSystemTime(Date.now() + 1_000);
      throw new Error('still closed');
    };
    const outcome = expect(submit('a')).rejects.toMatchObject({ code: 'LANES_CHANGING', retryable: true });
    for (let i = 0; i < 5; i++) {
      await settled();
      await calls[i]?.answer([other]);
    }
    await outcome;
    expect(calls).toHaveLength(5);
  });
});

describe('a connection that is away', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));

  it('is waited for, and the writes go when it is back', async () => {
    redis.status = 'reconnecting';
    redis.emit('close');
    const waits = submit('a');
    await vi.advanceTimersByTimeAsync(1_900);
    expect(calls).toEqual([]);
    redis.status = 'ready';
    redis.emit('ready');
    await settled();
    await calls[0]?.answer();
    expect(await waits).toBe('0');
  });

  it('fails each write after two seconds, not one call after the other', async () => {
    redis.status = 'reconnecting';
    redis.emit('close');
    const outcomes = Promise.allSettled(Array.from({ length: 1_000 }, (_, i) => submit(`${i}`)));
    await settled();
    await vi.advanceTimersByTimeAsync(1_000);
    const later = submit('later');
    const isLater = vi.fn();
    later.catch(isLater);
    await vi.advanceTimersByTimeAsync(1_000);
    for (let i = 0; i < 10; i++) await settled();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ reason: { code: 'REDIS_UNAVAILABLE', retryable: true } });
    }
    expect(isLater).not.toHaveBeenCalled();
    const outcome = expect(later).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await vi.advanceTimersByTimeAsync(1_000);
    await outcome;
    expect(calls).toEqual([]);
  });

  it('says why it can’t be made again', async () => {
    redis.status = 'reconnecting';
    redis.emit('close');
    redis.emit('error', replyError('WRONGPASS invalid username-password pair'));
    const outcome = expect(submit('a')).rejects.toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      retryable: false,
      message: expect.stringContaining('WRONGPASS'),
    });
    await settled();
    await vi.advanceTimersByTimeAsync(2_000);
    await outcome;
  });
});

it('has a bound on the writes of a process that are not answered', async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => submit(`${i}`));
  await expect(submit('one more')).rejects.toMatchObject({ code: 'TOO_MANY_WRITES', retryable: true });
  await settled();
  for (let i = 0; i < calls.length; i++) await calls[i]?.answer();
  await Promise.all(many);
  await queue.idle();
});
