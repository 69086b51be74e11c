/** Ids that Prisma's client makes for `@default(uuid())` and the like, made here in the same forms. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Maker } from './model.js';

/** `length`: of a nanoid. */
export function makeId(by: Maker, length?: number): string {
  return makers[by](length);
}

const makers: Readonly<Record<Maker, (length?: number) => string>> = {
  uuid4: () => randomUUID(),
  uuid7,
  cuid,
  cuid2: () => randomText('abcdefghijklmnopqrstuvwxyz', 1) + randomText(base36, 23),
  nanoid: (length = 21) => randomText(urlSafe, length),
  ulid: () => timeText(Date.now()) + randomText(crockford, 16),
};

const base36 = '0123456789abcdefghijklmnopqrstuvwxyz';
const urlSafe = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** RFC 9562: the time in ms, then chance. */
function uuid7(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** What tells this process's cuids from those of others: its pid and its host's name. */
const fingerprint = (() => {
  const host = [...hostname()].reduce(
    (sum, character) => sum + character.charCodeAt(0),
    hostname().length + 36,
  );
  return inBase36(process.pid, 2) + inBase36(host, 2);
})();

let count = 0;

/** Its first form: the time, a count, the process, chance. */
function cuid(): string {
  count = (count + 1) % 36 ** 4;
  return `c${Date.now().toString(36)}${inBase36(count, 4)}${fingerprint}${randomText(base36, 8)}`;
}

function inBase36(value: number, length: number): string {
  return value.toString(36).padStart(length, '0').slice(-length);
}

function timeText(ms: number): string {
  return Array.from({ length: 10 }, (_, i) => crockford[Math.floor(ms / 32 ** (9 - i)) % 32]).join('');
}
