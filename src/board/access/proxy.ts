/** A reverse proxy that says in a header who asks: believed only when it comes from where the proxy is. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Config } from '../../config.js';
import { ForebayError } from '../../errors.js';
import type { Identity } from './accounts.js';

export class TrustedProxy {
  readonly #header: string | undefined;
  readonly #operators: ReadonlySet<string>;
  readonly #addresses = new BlockList();

  /** @throws ForebayError INVALID_CONFIG */
  constructor({ proxyHeader, proxyAddresses = [], proxyOperators = [] }: Config['board']) {
    if ((proxyHeader === undefined) !== (proxyAddresses.length === 0))
      throw invalid('Set both of BOARD_PROXY_HEADER and BOARD_PROXY_ADDRESSES, or neither.');
    this.#header = proxyHeader;
    this.#operators = new Set(proxyOperators);
    for (const address of proxyAddresses) this.#trust(address);
  }

  get isConfigured(): boolean {
    return this.#header !== undefined;
  }

  isTrusted(address: string): boolean {
    return isIP(address) > 0 && this.#addresses.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  /** Who asks, by the proxy at `address`; undefined when it says nothing, or is none. */
  identityOf(address: string, header: (name: string) => string | undefined): Identity | undefined {
    if (this.#header === undefined || !this.isTrusted(address)) return undefined;
    const user = header(this.#header)?.trim();
    if (!user) return undefined;
    return { user, role: this.#operators.has(user) ? 'operator' : 'reader' };
  }

  #trust(text: string): void {
    const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const most = family === 'ipv6' ? 128 : 32;
    const size = Number(bits ?? most);
    if (isIP(address) === 0 || size > most)
      throw invalid(`BOARD_PROXY_ADDRESSES: "${text}" is no address such as 10.0.0.7 or 10.0.0.0/8.`);
    this.#addresses.addSubnet(address, size, family);
  }
}

function invalid(message: string): ForebayError {
  return new ForebayError('INVALID_CONFIG', message);
}
