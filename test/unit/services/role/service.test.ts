/** Waiting for work, but not for ever. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withinDeadline } from '../../../../src/services/role/service.js';

describe('withinDeadline', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is true as soon as the work is done, and leaves no timer', async () => {
    expect(await withinDeadline(Promise.resolve('x'), 1_000)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is false at the deadline when the work is not done', async () => {
    const result = withinDeadline(new Promise(() => undefined), 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await result).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('fails as the work fails, and leaves no timer', async () => {
    await expect(withinDeadline(Promise.reject(new Error('stuck')), 1_000)).rejects.toThrow('stuck');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no rejection unhandled when the work fails after the deadline', async () => {
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise((_, reject) => {
      fail = reject;
    });
    const result = withinDeadline(work, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    fail(new Error('too late')); // vitest fails the run on an unhandled rejection
    expect(await result).toBe(false);
  });
});
