/**
 * Which of the readers drops, and how far it has come. A reader that stands by takes over when the one that
 * drops has not been heard of, and goes on where that has come to.
 *
 * Dropping twice is harmless, so this need not be exact: a reader that was paused may drop beside its
 * successor. That nobody believes to be further than he is matters: what is told was dropped by whoever tells
 * it, in this Redis.
 */
import type { RedisClient } from '../../connection/redis.js';
import { changesKeys } from '../../keys.js';

/** How far changes have been dropped. */
export interface Told {
  /** Of the server's history that `lsn` is of, and of what was covered. */
  readonly history: string;
  readonly lsn: bigint;
}

export type Hold =
  /** Another reader drops, and has come so far. */
  | { readonly kind: 'other'; readonly told: Told | undefined }
  /** This reader drops, and nothing came between. */
  | { readonly kind: 'kept' }
  /** It drops from now on, or Redis has gone back in time: what was told last is this. */
  | { readonly kind: 'taken'; readonly told: Told | undefined };

/** A reader that is not heard of for so long is gone. */
const holdMs = 3_000;

export class Lead {
  readonly #redis: RedisClient;
  readonly #keys: { readonly reader: string; readonly told: string };
  readonly #self: string;
  /** As it stands in Redis, if nobody else has written there. */
  #toldText: string | undefined;

  constructor(redis: RedisClient, prefix: string, self: string) {
    this.#redis = redis;
    this.#keys = changesKeys(prefix);
    this.#self = self;
  }

  /** To be called again and again. @param done how far this reader has dropped, if it is the one */
  async hold(done: Told | undefined): Promise<Hold> {
    const isHeld = await this.#takeOrKeep();
    const found = (await this.#redis.get(this.#keys.told)) ?? '';
    if (!isHeld) {
      this.#toldText = undefined;
      return { kind: 'other', told: parseTold(found) };
    }
    if (done === undefined || found !== this.#toldText) {
      this.#toldText = found;
      return { kind: 'taken', told: parseTold(found) };
    }
    await this.#tell(done);
    return { kind: 'kept' };
  }

  /** For another to take over at once. */
  async release(): Promise<void> {
    if ((await this.#redis.get(this.#keys.reader)) === this.#self) await this.#redis.del(this.#keys.reader);
  }

  async #tell({ history, lsn }: Told): Promise<void> {
    const text = `${history} ${lsn}`;
    if (text !== this.#toldText) await this.#redis.set(this.#keys.told, text);
    this.#toldText = text;
  }

  async #takeOrKeep(): Promise<boolean> {
    const { reader } = this.#keys;
    if ((await this.#redis.get(reader)) === this.#self)
      return (await this.#redis.pexpire(reader, holdMs)) === 1;
    return (await this.#redis.set(reader, this.#self, 'PX', holdMs, 'NX')) === 'OK';
  }
}

function parseTold(text: string): Told | undefined {
  const [history, lsn] = text.split(' ');
  return history && lsn ? { history, lsn: BigInt(lsn) } : undefined;
}
