/**
 * A connection has the server end the one before it, before anything is sent on it: so what that had sent,
 * and the server has not read, is never executed behind what is sent on this one. Else a write in doubt could
 * undo a later one. See https://redis.io/docs/latest/commands/client-kill/
 */
import { onConnect, type Redis, type RedisClient } from './client.js';
import { isReplyError } from './refusals.js';

/** As its server knows a connection. Restarted, it gives the same ids again: so the address counts too. */
interface Session {
  readonly id: string;
  readonly address: string;
}

/** From its next connect on. @param onRefused the server does not allow it */
export function endsPredecessor(redis: RedisClient, onRefused: (error: Error) => void): void {
  /** By server: a cluster makes a client anew for one that it had lost. */
  const sessions = new Map<string, Session>();
  // Answered before the connection is ready, for ioredis asks for INFO behind this.
  onConnect(redis, (server) => {
    succeed(server, sessions).catch((error: Error) => {
      if (isReplyError(error)) onRefused(error);
    });
  });
}

async function succeed(redis: Redis, sessions: Map<string, Session>): Promise<void> {
  const server = `${redis.options.host}:${redis.options.port}`;
  const before = sessions.get(server);
  const [own] = await Promise.all([
    redis.client('INFO').then(String),
    before && redis.call('client', 'KILL', 'ID', before.id, 'ADDR', before.address),
  ]);
  const [, id, address] = /\bid=(\d+) addr=(\S+)/.exec(own) ?? [];
  if (id !== undefined && address !== undefined) sessions.set(server, { id, address });
}
