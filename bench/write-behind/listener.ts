/** Passes on what a process reports to whoever listens now. */
export class Listener<Report> {
  #listen: ((report: Report) => void) | undefined;

  /** From now on, and instead of whoever listened before. */
  listen(listener: (report: Report) => void): void {
    this.#listen = listener;
  }

  tell(report: Report): void {
    this.#listen?.(report);
  }
}
