/** Waiting for a connection that is being made again. */
import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RedisClient } from '../../../src/connection/client.js';
import { isConnected } from '../../../src/connection/connected.js';

class FakeClient extends EventEmitter {
  status = 'reconnecting';

  become(status: 'ready' | 'end'): void {
    this.status = status;
    this.emit(status);
  }
}

let client: FakeClient;
const wait = (ms: number): Promise<boolean> => isConnected(client as unknown as RedisClient, Date.now() + ms);

beforeEach(() => {
  client = new FakeClient();
});

describe('a client that reconnects', () => {
  it('is waited for by any number with one listener, which is gone afterwards', async () => {
    const waits = Array.from({ length: 100 }, () => wait(60_000));
    expect(client.listenerCount('ready')).toBe(1);
    client.become('ready');
    expect(await Promise.all(waits)).toEqual(waits.map(() => true));
    expect(client.eventNames()).toEqual([]);
  });

  it('and is up no sooner than the deadline is not', async () => {
    expect(await wait(10)).toBe(false);
    expect(await wait(0)).toBe(false);
  });

  it('and is ended instead never will be', async () => {
    const waiting = wait(60_000);
    client.become('end');
    expect(await waiting).toBe(false);
    expect(await wait(60_000)).toBe(false);
  });
});

it('a client that is up is not waited for', async () => {
  client.become('ready');
  expect(await wait(0)).toBe(true);
  expect(client.eventNames()).toEqual([]);
});
