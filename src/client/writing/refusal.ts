/** Why a lane has not accepted a write, as the error that its caller gets. */
import type { Lane } from '../../buffer/lane.js';
import { lanesChanging } from '../../buffer/lane-follower.js';
import type { Refused } from '../../buffer/step-replies.js';
import { ForebayError } from '../../errors.js';

/** Most writes of a process that are not answered yet. */
export const pendingWritesMax = 20_000;

export function refusal(lane: Lane, reply: Refused): ForebayError {
  if (reply.refused === 'conflict') return conflict(lane, reply.found);
  if (reply.refused === 'partitions') return lanesChanging(lane);
  if (reply.refused === 'overflow') {
    return new ForebayError(
      'COUNTER_OVERFLOW',
      'The sum of the pending deltas, dead letters among them, would not fit in 64 bits.',
      {
        context: { lane: lane.name },
      },
    );
  }
  const ofTenant = lane.group.tenant
    ? ' (half of that, for a tenant that has had its share of the next batch)'
    : '';
  return new ForebayError(
    'BACKLOG_FULL',
    `Lane ${lane.name} holds its maximum of ${lane.group.dirtyMax} dirty records, or of ${lane.group.dirtyBytesMax} bytes of them${ofTenant}. Check ` +
      "that the workers run and that the database keeps up, or raise the store's dirtyMax, dirtyBytesMax or partitions.",
    {
      retryable: true,
      context: {
        lane: lane.name,
        dirtyMax: lane.group.dirtyMax,
        dirtyBytesMax: lane.group.dirtyBytesMax,
      },
    },
  );
}

function conflict(lane: Lane, found: string | undefined): ForebayError {
  return new ForebayError(
    'CONFLICT',
    'The record is not at the version that this write was to replace. Read it again with getVersioned, or use update.',
    { context: { lane: lane.name, version: found === undefined ? undefined : BigInt(found) } },
  );
}

export function tooManyWrites(): ForebayError {
  return new ForebayError(
    'TOO_MANY_WRITES',
    `${pendingWritesMax} writes of this process are not answered yet. Await some of them before you issue more.`,
    { retryable: true, context: { pendingWritesMax } },
  );
}
