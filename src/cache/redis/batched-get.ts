/**
 * Entries that are asked for in one turn of the event loop are read with one MGET: a command costs the client
 * more than a value does.
 */

interface Asked {
  readonly key: string;
  readonly resolve: (content: string | null) => void;
  readonly reject: (error: unknown) => void;
}

export class BatchedGet {
  readonly #mget: (keys: string[]) => Promise<(string | null)[]>;
  readonly #keysMax: number;
  #asked: Asked[] = [];

  /** @param keysMax of one command. Default: all */
  constructor(mget: (keys: string[]) => Promise<(string | null)[]>, keysMax = Number.POSITIVE_INFINITY) {
    this.#mget = mget;
    this.#keysMax = keysMax;
  }

  get(key: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      // After the promises that are settled in this turn, whose readers may ask for more.
      if (this.#asked.length === 0) process.nextTick(() => this.#send());
      this.#asked.push({ key, resolve, reject });
    });
  }

  #send(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (let i = 0; i < asked.length; i += this.#keysMax) this.#read(asked.slice(i, i + this.#keysMax));
  }

  #read(asked: readonly Asked[]): void {
    this.#mget(asked.map(({ key }) => key)).then(
      (contents) => {
        for (let i = 0; i < asked.length; i++) (asked[i] as Asked).resolve(contents[i] ?? null);
      },
      (error: unknown) => {
        for (const { reject } of asked) reject(error);
      },
    );
  }
}
