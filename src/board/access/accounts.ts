/** Who may come in with a password, and as what. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config } from '../../config.js';
import { ForebayError } from '../../errors.js';

/** A reader changes nothing. */
export type BoardRole = 'operator' | 'reader';

export interface Identity {
  /** '' on loopback, where everybody may come in. */
  readonly user: string;
  readonly role: BoardRole;
}

export interface Account extends Identity {
  readonly password: string;
}

/** @throws ForebayError INVALID_CONFIG */
export function accountsOf(board: Config['board']): Account[] {
  const { user, password, reader, readerPassword } = board;
  const accounts = [
    ...pair('BOARD_USER', { user, password, role: 'operator' }),
    ...pair('BOARD_READER', { user: reader, password: readerPassword, role: 'reader' }),
  ];
  if (new Set(accounts.map((account) => account.user)).size < accounts.length)
    throw new ForebayError('INVALID_CONFIG', 'BOARD_USER and BOARD_READER must be two names.');
  return accounts;
}

type Given = { readonly [Name in keyof Account]: Account[Name] | undefined };

function pair(variable: string, { user, password, role }: Given): Account[] {
  if (user !== undefined && password !== undefined && role !== undefined) return [{ user, password, role }];
  if (user === undefined && password === undefined) return [];
  const second = variable === 'BOARD_USER' ? 'BOARD_PASSWORD' : 'BOARD_READER_PASSWORD';
  throw new ForebayError('INVALID_CONFIG', `Set both of ${variable} and ${second}, or neither.`);
}

/** Takes as long whether the name or the password is wrong, and wherever they differ. */
export function accountFor(
  accounts: readonly Account[],
  user: string,
  password: string,
): Account | undefined {
  const given = digest(user, password);
  const matches = accounts.map((account) => timingSafeEqual(digest(account.user, account.password), given));
  return accounts[matches.indexOf(true)];
}

/** Of one length, whatever is given. */
function digest(user: string, password: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([user, password]))
    .digest();
}
