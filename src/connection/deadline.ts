/** Waiting that ends. */
import { timerMaxMs } from '../pause.js';

/** Rejects with an Error when `work` takes longer than `timeoutMs`; the work itself goes on. */
export async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const waitMs = Math.min(timeoutMs, timerMaxMs);
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), waitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
