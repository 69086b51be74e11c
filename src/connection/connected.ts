/** Waiting for a connection that is being made again: however many wait, they share one listener. */

/** What is asked of a connection to know whether it is there. */
export interface WatchedConnection {
  readonly status: string;
  on(event: 'error' | 'close' | 'ready' | 'end', listener: (error: unknown) => void): unknown;
  off(event: 'ready' | 'end', listener: (error: unknown) => void): unknown;
}

/** Of clients that somebody waits for. */
const waits = new WeakMap<WatchedConnection, Promise<void>>();

/** Whether the client is connected, or is so by `deadline`, in ms since 1970. One that was ended never is. */
export async function isConnected(redis: WatchedConnection, deadline: number): Promise<boolean> {
  const isReady = (): boolean => redis.status === 'ready';
  const leftMs = deadline - Date.now();
  if (isReady() || redis.status === 'end' || leftMs <= 0) return isReady();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, leftMs);
  });
  await Promise.race([nextStatus(redis), late]);
  clearTimeout(timer);
  return isReady();
}

/** Resolves once the client is ready, or has ended. */
function nextStatus(redis: WatchedConnection): Promise<void> {
  let wait = waits.get(redis);
  if (wait === undefined) {
    wait = new Promise((resolve) => {
      const done = (): void => {
        waits.delete(redis);
        redis.off('ready', done);
        redis.off('end', done);
        resolve();
      };
      redis.on('ready', done);
      redis.on('end', done);
    });
    waits.set(redis, wait);
  }
  return wait;
}
