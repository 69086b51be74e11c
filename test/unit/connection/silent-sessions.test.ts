/** Sessions of Postgres, as the pool gives them away: each new one is asked who it is. */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { type Session, SilentSessions } from '../../../src/connection/silent-sessions.js';

/** Breaks while it is asked, as the driver's client does: the call rejects, and the client tells of an error. */
class BreakingSession extends EventEmitter implements Session {
  readonly processID = 1;
  readonly readyForQuery = false;
  readonly connection = { stream: new EventEmitter() as Socket };

  async query(): Promise<never> {
    this.emit('error', new Error('read ECONNRESET'));
    throw new Error('Connection terminated unexpectedly');
  }

  connect = async () => undefined;

  end = async () => undefined;
}

it('a new connection that breaks before anybody has it fails its call, and ends no process', async () => {
  const sessions = new SilentSessions(() => new BreakingSession());
  await expect(sessions.watch(new BreakingSession())).rejects.toThrow('terminated');
});
