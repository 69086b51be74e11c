/** What keys, tags and times of cached values must be. */
import { ttlOf } from '../definitions/cache-key.js';
import type { RefreshWhen } from '../definitions/computed.js';
import { DEFAULT_TTL } from '../definitions/default-ttl.js';
import { ForebayError } from '../errors.js';
import { checkList, quoted } from '../given.js';
import { tagMark } from '../keys.js';

const keyCharactersMax = 1_024;
/** Ten years. */
export const lifeMaxMs = 10 * 365 * 86_400_000;

/**
 * @throws ForebayError INVALID_KEY: two texts with half a surrogate pair would be one key, for it has no
 * UTF-8
 */
export function checkKey(key: string): void {
  if (typeof key === 'string' && key !== '' && key.length <= keyCharactersMax) {
    if (key[0] !== tagMark && key.isWellFormed()) return;
  }
  throw new ForebayError(
    'INVALID_KEY',
    `${quoted(key)} can't be a key: it must be a text of 1 to ${keyCharactersMax} characters, not begin with ${tagMark}, and hold no half of a surrogate pair.`,
  );
}

/** @throws ForebayError INVALID_KEY, INVALID_VALUE for what is no array */
export function checkKeys(keys: readonly string[]): void {
  checkList('Keys', keys);
  for (const key of keys) checkKey(key);
}

/** @throws as `checkKeys` */
export function checkTags(tags: readonly string[]): void {
  checkList('Tags', tags);
  for (const tag of tags) checkKey(tag);
}

/** Of a time in seconds, which is still to be checked: what is no number stays as it is, to be told so. */
export function toMs(seconds: number): number {
  return typeof seconds === 'number' ? seconds * 1_000 : seconds;
}

/**
 * @param ttl in seconds; default: the key's own, else 900 @returns ms @throws ForebayError INVALID_KEY,
 * INVALID_VALUE
 */
export function checkedTtlMs(key: string, ttl?: number): number {
  return checkedLifeMs(key, ttl === undefined ? undefined : toMs(ttl));
}

/** @param ttlMs default: the key's own, else 900,000 @throws ForebayError INVALID_KEY, INVALID_VALUE */
export function checkedLifeMs(key: string, ttlMs?: number): number {
  checkKey(key);
  const ms = ttlMs === undefined ? (ttlOf(key) ?? DEFAULT_TTL.STANDARD) * 1_000 : ttlMs;
  if (typeof ms === 'number' && ms > 0 && ms <= lifeMaxMs) return Math.max(1, Math.round(ms));
  throw new ForebayError(
    'INVALID_VALUE',
    `${key} can't live for ${quoted(ms)} ms: give from 1 ms (0.001 s) up to ten years.`,
    { context: { key, ttlMs } },
  );
}

/** @throws ForebayError INVALID_VALUE */
export function checkRefreshWhen(key: string, when: RefreshWhen): void {
  if (when === 'xfetch' || (typeof when === 'number' && when > 0 && when < 1)) return;
  throw new ForebayError(
    'INVALID_VALUE',
    `${key} can't be refreshed after ${quoted(when)} of its life: give a share between 0 and 1, or 'xfetch'.`,
    { context: { key, when } },
  );
}
