/** Whom the board lets in: accounts, a reverse proxy's word, or everybody on this machine. */
import type { Config } from '../../config.js';
import { ForebayError } from '../../errors.js';
import { type Account, accountsOf } from './accounts.js';
import { loopback } from './own-page.js';
import { TrustedProxy } from './proxy.js';

export class AccessRules {
  readonly accounts: readonly Account[];
  readonly proxy: TrustedProxy;

  /** @throws ForebayError INVALID_CONFIG, also when it would answer off loopback to everybody */
  constructor(board: Config['board']) {
    this.accounts = accountsOf(board);
    this.proxy = new TrustedProxy(board);
    if (this.isOpen && !loopback.has(board.host)) {
      throw new ForebayError(
        'INVALID_CONFIG',
        `The board would answer to everyone on ${board.host}. Set BOARD_USER and BOARD_PASSWORD, or BOARD_HOST=127.0.0.1.`,
      );
    }
  }

  /** Everybody on this machine may come in. */
  get isOpen(): boolean {
    return this.accounts.length === 0 && !this.proxy.isConfigured;
  }
}
