/** What must be undone at the end, however it comes: last done, first undone, and one failure stops none of the others. */

interface Step {
  readonly what: string;
  undo(): Promise<unknown>;
}

export class Cleanup {
  readonly #steps: Step[] = [];

  /** @param what for people: what `undo` does, as in `stop the workers` */
  add(what: string, undo: () => Promise<unknown>): void {
    this.#steps.push({ what, undo });
  }

  /** Undoes everything once. @param onFailure told of each step that failed */
  async run(onFailure: (what: string, error: unknown) => void): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.undo();
      } catch (error) {
        onFailure(step.what, error);
      }
    }
  }
}
