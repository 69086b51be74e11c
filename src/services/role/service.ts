/** The mould of every background role: started once, stopped once, within a deadline. */
export interface Service {
  /** Resolves when the service is at work. */
  start(): Promise<void>;
  /** Finishes what is in hand and leaves; resolves within `deadlineMs` whether or not that succeeded. */
  stop(deadlineMs: number): Promise<void>;
}

/** Runs `work`, but waits no longer than `deadlineMs`. Returns whether it was done in time. */
export async function withinDeadline(work: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), deadlineMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
