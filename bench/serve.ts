/** The other end of child.ts, in the child: does what it is asked, and ends when the bench lets go of it. */
import type { ChildMessage, Handlers } from './child.js';

/** @param close what to do before the process ends */
export function serve(handlers: Handlers, close: () => Promise<void>): void {
  // Ctrl-C goes to all processes of the terminal; the bench then stops this one.
  process.on('SIGINT', () => undefined);
  process.on('message', ({ handler, args }: { handler: string; args: unknown[] }) => {
    void answer(handlers as Record<string, (...args: unknown[]) => Promise<unknown>>, handler, args);
  });
  process.once('disconnect', async () => {
    await close();
    process.exit(0);
  });
  send({ kind: 'ready' });
}

/** Tells the bench something that it did not ask for. */
export function report(content: unknown): void {
  send({ kind: 'report', report: content });
}

async function answer(
  handlers: Record<string, (...args: unknown[]) => Promise<unknown>>,
  name: string,
  args: unknown[],
): Promise<void> {
  try {
    send({ kind: 'answer', result: await handlers[name]?.(...args) });
  } catch (error) {
    send({
      kind: 'failure',
      reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}

function send(message: ChildMessage): void {
  if (process.connected) process.send?.(message);
}
