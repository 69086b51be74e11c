/**
 * Reads of what the cache does not have: of all who miss an entry, over all processes, one loads it, under the entry's lease, and the
 * others wait for that. In a process, they share one load, or one wait.
 */
import { randomUUID } from 'node:crypto';
import type { RecallReply } from '../../buffer/write-buffer.js';
import type { Waiting, WaitingRoom } from '../../cache/reading/waiting-room.js';
import { waitMaxMs } from '../context.js';

/** What a look at a missed entry found. */
export type Recalled<Value> =
  /** Pending, or filled meanwhile; undefined: known to be absent. */
  | { readonly kind: 'value'; readonly value: Value | undefined }
  /** The caller may fill. */
  | { readonly kind: 'lease' }
  /** The token of whoever may. */
  | { readonly kind: 'held'; readonly holder: string };

/** @param toValue of an entry's content */
export function toRecalled<Value>(
  reply: RecallReply,
  token: string,
  toValue: (entry: string) => Value | undefined,
): Recalled<Value> {
  if ('entry' in reply) return { kind: 'value', value: toValue(reply.entry) };
  return reply.holder === token ? { kind: 'lease' } : { kind: 'held', holder: reply.holder };
}

/** By id key; undefined: absent. Absent too is what is left out, but a write may have made it since, which leaves the lease standing. */
export type Loaded<Value> = ReadonlyMap<string, Value | undefined>;

/** A look at missed entries, which took the leases that were free. */
export interface Look<Value> {
  /** By id key. */
  readonly recalled: ReadonlyMap<string, Recalled<Value>>;
  /** Loads some of them; fills, or gives back, those that are leased. */
  load(idKeys: readonly string[]): Promise<Loaded<Value>>;
}

export interface OneLoadDependencies<Value> {
  readonly waitingRoom: WaitingRoom;
  /** What others wait for. */
  readonly entryKeyOf: (idKey: string) => string;
  /** @param token of the leases that are granted */
  readonly recall: (idKeys: readonly string[], token: string) => Promise<Look<Value>>;
}

export class OneLoad<Value> {
  readonly #dependencies: OneLoadDependencies<Value>;
  /** By the token of their leases. */
  readonly #loading = new Map<string, Promise<Loaded<Value>>>();
  /** Waits for what others load, by their tokens and the id key. */
  readonly #waits = new Map<string, Promise<Loaded<Value>>>();

  constructor(dependencies: OneLoadDependencies<Value>) {
    this.#dependencies = dependencies;
  }

  /** What entries that were missed would hold, by id key; what is absent is left out. Id keys must differ. @throws what a look throws */
  async read(idKeys: readonly string[]): Promise<Map<string, Value>> {
    const { waitingRoom, entryKeyOf, recall } = this.#dependencies;
    const token = randomUUID();
    // Before the look that may tell to wait, so that no message falls in between.
    const waitings = idKeys.map((idKey) => waitingRoom.enter(entryKeyOf(idKey)));
    try {
      const look = await recall(idKeys, token);
      const leased = idKeys.filter((idKey) => look.recalled.get(idKey)?.kind === 'lease');
      const loading = leased.length > 0 ? this.#load(look, leased, token) : undefined;
      const reads = idKeys.map(async (idKey, i) => {
        const recalled = look.recalled.get(idKey) as Recalled<Value>;
        if (recalled.kind === 'value') return recalled.value;
        if (recalled.kind === 'lease') return (await loading)?.get(idKey);
        return this.#share(idKey, recalled.holder, waitings[i] as Waiting);
      });
      const values = await Promise.all(reads);
      return new Map(idKeys.map((idKey, i) => [idKey, values[i]] as const).filter(isThere));
    } finally {
      for (const waiting of waitings) waiting.leave();
    }
  }

  async #load(look: Look<Value>, idKeys: readonly string[], token: string): Promise<Loaded<Value>> {
    const loading = look.load(idKeys);
    this.#loading.set(token, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(token);
    }
  }

  /** The lease stands, so nothing was written since it was granted: what comes of it is new enough for all who saw it. */
  async #share(idKey: string, holder: string, waiting: Waiting): Promise<Value | undefined> {
    const name = `${holder} ${idKey}`;
    const underWay = this.#loading.get(holder) ?? this.#waits.get(name);
    if (underWay !== undefined) {
      const loaded = await underWay;
      return loaded.has(idKey) ? loaded.get(idKey) : this.#readAlone(idKey);
    }
    const wait = this.#wait(idKey, holder, waiting);
    this.#waits.set(name, wait);
    try {
      return (await wait).get(idKey);
    } finally {
      this.#waits.delete(name);
    }
  }

  /**
   * Waits until somebody else has filled the entry, or its time is over: then one of those who wait takes its place. Where the load failed or
   * was overtaken there is nothing to wait for, so each process loads.
   */
  async #wait(idKey: string, firstHolder: string, waiting: Waiting): Promise<Loaded<Value>> {
    const deadline = Date.now() + waitMaxMs;
    let holder = firstHolder;
    for (;;) {
      const isTold = await waiting.until(deadline - Date.now());
      const { recalled, load } = await this.#look(idKey);
      if (recalled.kind === 'value') return new Map([[idKey, recalled.value]]);
      const isInVain =
        Date.now() >= deadline || (isTold && recalled.kind === 'held' && recalled.holder !== holder);
      if (recalled.kind === 'lease' || isInVain) return load();
      holder = recalled.holder;
    }
  }

  async #readAlone(idKey: string): Promise<Value | undefined> {
    const { recalled, load } = await this.#look(idKey);
    return recalled.kind === 'value' ? recalled.value : (await load()).get(idKey);
  }

  async #look(idKey: string): Promise<{ recalled: Recalled<Value>; load: () => Promise<Loaded<Value>> }> {
    const token = randomUUID();
    const look = await this.#dependencies.recall([idKey], token);
    return {
      recalled: look.recalled.get(idKey) as Recalled<Value>,
      load: () => this.#load(look, [idKey], token),
    };
  }
}

function isThere<Value>(entry: readonly [string, Value | undefined]): entry is readonly [string, Value] {
  return entry[1] !== undefined;
}
