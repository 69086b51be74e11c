/**
 * What a connection that is given up could not send yet is dropped by the system, which would else go on
 * sending it for minutes: a write in doubt could undo what other connections and processes have written
 * meanwhile. (What comes behind it on the next connection is kept in order by predecessor.ts.)
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { onConnect, type RedisClient } from './client.js';

/** From its next connect on. Not over TLS: Node can't reset such a connection. */
export function dropsUnsent(redis: RedisClient): void {
  onConnect(redis, ({ stream }) => resetsWhenGivenUp(stream));
}

function resetsWhenGivenUp(socket: Socket): void {
  if (socket instanceof TLSSocket) return;
  const { destroy } = socket;
  socket.destroy = (error) => {
    socket.destroy = destroy;
    // An error of the system has a code: it has dropped everything then. What is being ended can't be reset.
    if (error === undefined || 'code' in error || socket.writableEnded) return socket.destroy(error);
    socket.emit('error', error);
    return socket.resetAndDestroy();
  };
}
