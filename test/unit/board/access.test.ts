/** Who may come in: accounts, sessions, limits and the reverse proxy, without a server. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Account, accountFor, accountsOf } from '../../../src/board/access/accounts.js';
import { Attempts } from '../../../src/board/access/attempts.js';
import { isOwnPage } from '../../../src/board/access/own-page.js';
import { TrustedProxy } from '../../../src/board/access/proxy.js';
import { AccessRules } from '../../../src/board/access/rules.js';
import { Sessions, sessionMs } from '../../../src/board/access/session.js';

const ops: Account = { user: 'ops', password: 's3cret', role: 'operator' };
const eve: Account = { user: 'eve', password: 'looks', role: 'reader' };
const place = { host: '127.0.0.1', port: 0 };

describe('accounts', () => {
  it('are let in by their own name and password, and by no other', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (user, password) => {
        const isOps = user === ops.user && password === ops.password;
        const isEve = user === eve.user && password === eve.password;
        expect(accountFor([ops, eve], user, password)).toEqual(isOps ? ops : isEve ? eve : undefined);
      }),
      {
        examples: [
          ['ops', 's3cret'],
          ['eve', 'looks'],
          ['ops', 'looks'],
          ['', ''],
          ['ops\0s3cret', ''],
        ],
      },
    );
    expect(accountFor([], '', '')).toBeUndefined();
  });

  it.each([
    [{ user: 'a' }, 'BOARD_USER'],
    [{ password: 'a' }, 'BOARD_PASSWORD'],
    [{ reader: 'a' }, 'BOARD_READER'],
    [{ readerPassword: 'a' }, 'BOARD_READER_PASSWORD'],
    [{ user: 'a', password: 'b', reader: 'a', readerPassword: 'c' }, 'two names'],
  ])('are refused when they are half: %j', (board, says) => {
    expect(() => accountsOf({ ...place, ...board })).toThrow(says);
  });

  it.each([
    [{}, true],
    [{ user: 'a', password: 'b' }, false],
    [{ reader: 'a', readerPassword: 'b' }, false],
    [{ proxyHeader: 'x-user', proxyAddresses: ['10.0.0.1'] }, false],
  ])('off loopback somebody has to log in: %j', (board, isRefused) => {
    for (const host of ['0.0.0.0', '::', '10.0.0.5', 'board.example']) {
      const make = () => new AccessRules({ host, port: 0, ...board });
      if (isRefused) expect(make).toThrow('BOARD_PASSWORD');
      else expect(make).not.toThrow();
    }
  });
});

describe('a session', () => {
  const now = 1_700_000_000_000;
  const sessions = new Sessions('secret', [ops, eve]);

  it('is that of who began it, until it is over', () => {
    const cookie = sessions.begin(eve, now);
    expect(sessions.accountOf(cookie, now + sessionMs - 1)).toBe(eve);
    expect(sessions.accountOf(cookie, now + sessionMs)).toBeUndefined();
  });

  it('is none under another secret, password or role', () => {
    const cookie = sessions.begin(ops, now);
    expect(new Sessions('other', [ops]).accountOf(cookie, now)).toBeUndefined();
    expect(new Sessions('secret', [{ ...ops, password: 'new' }]).accountOf(cookie, now)).toBeUndefined();
    expect(new Sessions('secret', [{ ...ops, role: 'reader' }]).accountOf(cookie, now)).toBeUndefined();
    expect(new Sessions('secret', [eve]).accountOf(cookie, now)).toBeUndefined();
  });

  it('is none with any letter changed, nor anything that was made up', () => {
    const cookie = sessions.begin(ops, now);
    fc.assert(
      fc.property(fc.nat(cookie.length - 1), fc.constantFrom(...'ABz9.-_'), (at, letter) => {
        const changed = cookie.slice(0, at) + letter + cookie.slice(at + 1);
        // Bits that base64url leaves over change nothing.
        const isSame = changed === cookie || at === cookie.indexOf('.') - 1;
        if (!isSame) expect(sessions.accountOf(changed, now)).toBeUndefined();
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void expect(sessions.accountOf(text, now)).toBeUndefined()));
    const [, signature] = cookie.split('.');
    const claim = Buffer.from(JSON.stringify(['ops', now * 2])).toString('base64url');
    expect(sessions.accountOf(`${claim}.${signature}`, now)).toBeUndefined();
  });
});

describe('wrong passwords', () => {
  it('of one address are limited for a minute after the last; others are not concerned', () => {
    let now = 0;
    const attempts = new Attempts(() => now);
    for (let i = 0; i < 5; i++) {
      expect(attempts.waitMs('a')).toBe(0);
      attempts.failed('a');
      now += 1_000;
    }
    expect(attempts.waitMs('a')).toBeGreaterThan(50_000);
    expect(attempts.waitMs('b')).toBe(0);
    now += 60_001;
    expect(attempts.waitMs('a')).toBe(0);
  });

  it('of many addresses together are limited too', () => {
    let now = 0;
    const attempts = new Attempts(() => now);
    for (let i = 0; i < 100; i++) attempts.failed(`address ${i}`);
    expect(attempts.waitMs('another')).toBeGreaterThan(0);
    now += 60_001;
    expect(attempts.waitMs('another')).toBe(0);
  });

  it('a right one ends the count', () => {
    const attempts = new Attempts(() => 0);
    for (let i = 0; i < 4; i++) attempts.failed('a');
    attempts.succeeded('a');
    for (let i = 0; i < 4; i++) attempts.failed('a');
    expect(attempts.waitMs('a')).toBe(0);
  });
});

describe('the reverse proxy', () => {
  const proxy = new TrustedProxy({
    ...place,
    proxyHeader: 'x-user',
    proxyAddresses: ['10.0.0.7', '10.1.0.0/16', 'fd00::/8'],
    proxyOperators: ['ada'],
  });

  it.each([
    ['10.0.0.7', 'ada', 'operator'],
    ['10.1.2.3', 'eve', 'reader'],
    ['fd00::1', ' ada ', 'operator'],
    ['10.0.0.8', 'ada', undefined],
    ['10.2.0.1', 'ada', undefined],
    ['fe80::1', 'ada', undefined],
    ['', 'ada', undefined],
    ['10.0.0.7', '', undefined],
    ['10.0.0.7', undefined, undefined],
  ])('from %s with the name %j is believed as %s', (address, name, role) => {
    expect(proxy.identityOf(address, () => name)?.role).toBe(role);
  });

  it.each([
    [{ proxyHeader: 'x-user' }, 'BOARD_PROXY_ADDRESSES'],
    [{ proxyAddresses: ['10.0.0.1'] }, 'BOARD_PROXY_HEADER'],
  ])('is refused when it is not configured whole: %j', (board, says) => {
    expect(() => new TrustedProxy({ ...place, ...board })).toThrow(says);
  });

  const trusting = (address: string) =>
    new TrustedProxy({ ...place, proxyHeader: 'x', proxyAddresses: [address] });

  it.each([
    ...['', ' ', '/', '/8', 'proxy.example', '10.0.0', '10.0.0.7/', '10.0.0.0/ 8', '10.0.0.0/8 '],
    ...['10.0.0.0/0x8', '10.0.0.0/1e1', '10.0.0.0/8.0', '10.0.0.0/+8', '10.0.0.0/-1', '10.0.0.0/x'],
    ...['10.0.0.0/33', '10.0.0.0/0008', '10.0.0.0/8/8', '10.0.0.0//8', 'fd00::/129', 'fd00::/', '::/1e1'],
  ])('is refused where its address is malformed, and trusts nobody for it: "%s"', (address) => {
    expect(() => trusting(address)).toThrow('no address');
  });

  it.each([
    ['10.0.0.7', '10.0.0.7', '10.0.0.8'],
    ['10.0.0.7/32', '10.0.0.7', '10.0.0.8'],
    ['10.0.0.0/08', '10.9.9.9', '11.0.0.1'],
    ['fd00::/128', 'fd00::', 'fd00::1'],
  ])('at "%s" is trusted there alone', (address, inside, outside) => {
    expect(trusting(address).isTrusted(inside)).toBe(true);
    expect(trusting(address).isTrusted(outside)).toBe(false);
  });
});

describe('a page', () => {
  it.each([
    [{}, true],
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site', origin: 'http://own:1' }, false],
    [{ origin: 'http://own:1' }, true],
    [{ origin: 'http://own:2' }, false],
    [{ origin: 'http://other' }, false],
    [{ origin: 'null' }, false],
    [{ origin: '' }, false],
  ])('that says %j is its own: %s', (headers: Record<string, string>, isOwn) => {
    const all: Record<string, string> = { host: 'own:1', ...headers };
    expect(isOwnPage((name) => all[name])).toBe(isOwn);
  });
});
