/**
 * Sessions: a signed cookie says who has logged in, and until when. Nothing is kept of it but the secret that
 * it is signed with, which is in Redis, so that a board that is started again knows its sessions. A new
 * password ends those of its account.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { RedisClient } from '../../connection/redis.js';
import { boardSecretKey } from '../../keys.js';
import type { Account } from './accounts.js';

export const sessionMs = 12 * 3_600_000;
const secretBytes = 32;

/** The secret of all boards on this Redis. @throws what Redis throws */
export async function readSecret(redis: RedisClient, prefix: string): Promise<string> {
  const key = boardSecretKey(prefix);
  await redis.setnx(key, randomBytes(secretBytes).toString('base64url'));
  return (await redis.get(key)) as string;
}

export class Sessions {
  readonly #secret: string;
  readonly #accounts: readonly Account[];

  constructor(secret: string, accounts: readonly Account[]) {
    this.#secret = secret;
    this.#accounts = accounts;
  }

  /** @param now in ms since 1970 */
  begin(account: Account, now: number): string {
    const claim = Buffer.from(JSON.stringify([account.user, now + sessionMs])).toString('base64url');
    return `${claim}.${this.#sign(claim, account)}`;
  }

  /** Undefined: it was not begun here, is over, or its account has another password now. */
  accountOf(cookie: string, now: number): Account | undefined {
    const [claim = '', signature = ''] = cookie.split('.');
    const [user, until] = parseClaim(claim);
    const account = this.#accounts.find((one) => one.user === user);
    if (!account || !(until > now)) return undefined;
    const expected = Buffer.from(this.#sign(claim, account));
    const given = Buffer.from(signature);
    return given.length === expected.length && timingSafeEqual(given, expected) ? account : undefined;
  }

  #sign(claim: string, { user, password, role }: Account): string {
    const key = createHmac('sha256', this.#secret)
      .update(JSON.stringify([user, password, role]))
      .digest();
    return createHmac('sha256', key).update(claim).digest('base64url');
  }
}

function parseClaim(claim: string): [user: unknown, until: number] {
  try {
    const [user, until] = JSON.parse(Buffer.from(claim, 'base64url').toString()) as unknown[];
    return [user, Number(until)];
  } catch {
    return [undefined, 0]; // No claim of ours.
  }
}
