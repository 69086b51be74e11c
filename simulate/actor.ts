/**
 * A worker or an app whose every call to Redis or Postgres is a step: it stands before the call until the
 * scheduler lets it go on. One that is never let go on has crashed.
 */
export class Actor {
  readonly name: string;
  /** What it stands before; undefined when it has nothing to do. */
  before: string | undefined;
  error: unknown;
  #goOn: () => void = () => undefined;
  #stands: () => void = () => undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Resolves when the work stands before its first step, or is done. */
  start(work: () => Promise<void>): Promise<void> {
    const stands = this.#untilItStands();
    work().then(
      () => this.#stands(),
      (error: unknown) => {
        this.error = error;
        this.#stands();
      },
    );
    return stands;
  }

  gate(call: string): Promise<void> {
    this.before = call;
    return new Promise((resolve) => {
      this.#goOn = resolve;
      this.#stands();
    });
  }

  /** Takes the step, and resolves when it stands before the next, or is done. */
  step(): Promise<void> {
    const stands = this.#untilItStands();
    this.before = undefined;
    this.#goOn();
    return stands;
  }

  #untilItStands(): Promise<void> {
    return new Promise((resolve) => {
      this.#stands = resolve;
    });
  }
}
