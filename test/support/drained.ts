/** Waits until everything accepted is in the database, without asking for it as `flush` does. */
import { expect } from 'vitest';
import type { Backlog } from '../../src/buffer/backlog.js';

export async function drained(app: { backlog(): Promise<Backlog> }): Promise<void> {
  const unpersisted = async (): Promise<number> => {
    const { dirty, sealed } = await app.backlog();
    return dirty + sealed;
  };
  await expect.poll(unpersisted, { interval: 50 }).toBe(0);
}
