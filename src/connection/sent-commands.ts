/**
 * Of a command that failed: whether a server may have executed it. In a cluster ioredis goes with a command
 * from server to server, and what it says in the end tells nothing of how far it came: a connection that
 * can't be made, and one that broke with the command on its way, read the same.
 */
import type { Command } from 'ioredis';
import { isReplyError, NotSent } from './refusals.js';

/** @param send gives the command to ioredis */
export function tellWhetherSent(command: Command, send: () => unknown): unknown {
  let mayBeDone = false;
  const { toWritable, reject } = command;
  command.toWritable = (socket) => {
    mayBeDone = true;
    return toWritable.call(command, socket);
  };
  command.reject = (error) => {
    reject.call(command, mayBeDone || isReplyError(error) ? error : new NotSent(error));
  };
  const sent = send();
  // By now it is ioredis's own: it tries another server, or gives up with the one above.
  const goOn = command.reject;
  command.reject = (error) => {
    // Who refuses a command, or names another server, has not executed it.
    if (isReplyError(error)) mayBeDone = false;
    goOn.call(command, error);
  };
  return sent;
}
