/** A worker's signs of life for `forebay deploy`: one when it is ready, and one whenever it is asked. */

/** What is asked, and what is answered, by way of pm2. */
export const aliveTopic = 'forebay:alive';

/** For a worker that has just got ready; without a parent that talks to it, nothing. */
export function giveSignsOfLife(): void {
  const give = (): void => void process.send?.({ type: aliveTopic, data: {} });
  if (!process.send) return;
  process.on('message', (message: { topic?: unknown }) => {
    if (message?.topic === aliveTopic) give();
  });
  // It does not keep the process.
  process.channel?.unref();
  give();
}
