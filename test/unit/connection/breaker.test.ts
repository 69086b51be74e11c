import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Breaker } from '../../../src/connection/breaker.js';
import type { ForebayEvent } from '../../../src/events.js';
import { patient } from '../../support/patient.js';

let events: string[];
let probes: number;
let isAway: boolean;
let breaker: Breaker;

beforeEach(() => {
  vi.useFakeTimers();
  events = [];
  probes = 0;
  isAway = false;
  breaker = new Breaker({
    connection: 'cache',
    probe: () => {
      probes += 1;
      return isAway ? timeOut() : answer();
    },
    emit: (event: ForebayEvent) => events.push(event.type),
  });
});

afterEach(() => {
  breaker.stop();
  vi.useRealTimers();
});

const answer = async (): Promise<string> => 'pong';
const refuseOffline = (): Promise<never> =>
  Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
const timeOut = (): Promise<never> => Promise.reject(new Error('Command timed out'));
const refuse = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('WRONGTYPE'), { name: 'ReplyError' }));

const recover = async (): Promise<void> => breaker.recovered();

async function open(): Promise<void> {
  isAway = true;
  for (let i = 0; i < 5; i++) await expect(breaker.run(timeOut)).rejects.toThrow('timed out');
  expect(breaker.isOpen).toBe(true);
}

describe('the breaker', () => {
  it('lets calls through while Redis answers, also when it refuses commands', async () => {
    for (let i = 0; i < 20; i++) await expect(breaker.run(refuse)).rejects.toThrow('WRONGTYPE');
    for (let i = 0; i < 4; i++) await expect(breaker.run(timeOut)).rejects.toThrow('timed out');
    expect(await breaker.run(answer)).toBe('pong');
    for (let i = 0; i < 4; i++) await expect(breaker.run(timeOut)).rejects.toThrow('timed out');
    expect(breaker.isOpen).toBe(false);
    expect(events).toEqual([]);
  });

  it('makes no call while it is open', async () => {
    await open();
    let calls = 0;
    const count = async () => ++calls;
    await expect(breaker.run(count)).rejects.toMatchObject({ code: 'REDIS_UNAVAILABLE', retryable: true });
    expect(calls).toBe(0);
    expect(events).toEqual(['breaker.opened']);
  });

  it('probes by itself, after a wait that doubles up to ten seconds', async () => {
    await open();
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      const startedAt = Date.now();
      await vi.advanceTimersToNextTimerAsync();
      waits.push(Date.now() - startedAt);
    }
    expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    expect(probes).toBe(10);
  });

  it('closes when a probe succeeds', async () => {
    await open();
    isAway = false;
    await vi.advanceTimersToNextTimerAsync();
    expect(breaker.isOpen).toBe(false);
    expect(await breaker.run(answer)).toBe('pong');
    expect(events).toEqual(['breaker.opened', 'breaker.closed']);
  });

  it('opens at once when the connection is known to be down', async () => {
    await expect(breaker.run(refuseOffline)).rejects.toThrow('enableOfflineQueue');
    expect(breaker.isOpen).toBe(true);
  });

  it('closes at once when the connection is back, and probes no more', async () => {
    await open();
    breaker.recovered();
    breaker.recovered();
    expect(breaker.isOpen).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(probes).toBe(0);
    expect(events).toEqual(['breaker.opened', 'breaker.closed']);
  });

  it('makes one probe at a time, and takes a late answer for no news of a later outage', async () => {
    const answers: (() => void)[] = [];
    breaker.stop();
    breaker = new Breaker({
      connection: 'cache',
      probe: () => new Promise<void>((resolve) => answers.push(resolve)),
      emit: () => undefined,
    });
    await open();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(answers).toHaveLength(1);
    breaker.recovered();
    await open();
    answers[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(breaker.isOpen).toBe(true);
    await vi.advanceTimersByTimeAsync(50);
    answers[1]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(breaker.isOpen).toBe(false);
  });

  it('refuses within microseconds, and without a timer for a call', async () => {
    await open();
    const timers = vi.getTimerCount();
    const startedAt = process.hrtime.bigint();
    const refusals = Array.from({ length: 10_000 }, () => breaker.run(answer).catch(() => undefined));
    expect(vi.getTimerCount()).toBe(timers);
    await Promise.all(refusals);
    expect(Number(process.hrtime.bigint() - startedAt) / 10_000 / 1_000).toBeLessThan(patient(50));
  });

  it('probes no more once it is stopped', async () => {
    await open();
    breaker.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(probes).toBe(0);
  });

  it('closes again after any history, within one longest wait of Redis being back', async () => {
    const calls = fc.array(
      fc.tuple(
        fc.constantFrom(answer, timeOut, refuse, refuseOffline, recover),
        fc.integer({ min: 0, max: 20_000 }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(calls, async (history) => {
        isAway = true;
        for (const [call, waitMs] of history) {
          await breaker.run<unknown>(call).catch(() => undefined);
          await vi.advanceTimersByTimeAsync(waitMs);
        }
        isAway = false;
        await vi.advanceTimersByTimeAsync(10_000);
        expect(breaker.isOpen).toBe(false);
        expect(await breaker.run(answer)).toBe('pong');
      }),
    );
  });
});
