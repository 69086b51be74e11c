/** Values as text and back. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { parse as parseDevalue, stringify as stringifyDevalue } from 'devalue';
import { ForebayError, messageOf } from '../errors.js';

export interface Serializer {
  /** @throws when the value has no text from which it would come back */
  stringify(value: unknown): string;
  parse(text: string): unknown;
}

/**
 * JSON for what JSON gives back as it was; else `d` and devalue's text, which keeps Date, BigInt, Map, Set, undefined, NaN, typed
 * arrays and repeated references (https://github.com/sveltejs/devalue). No JSON text begins with a `d`.
 */
export const defaultSerializer: Serializer = {
  stringify: (value) => (isPlainJson(value, 0) ? JSON.stringify(value) : `d${stringifyDevalue(value)}`),
  parse: (text) => (text[0] === 'd' ? parseDevalue(text.slice(1)) : JSON.parse(text)),
};

const depthMax = 200;

function isPlainJson(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      if (value === null) return true;
      if (depth > depthMax) return false;
      return Array.isArray(value) ? isPlainArray(value, depth) : isPlainObject(value, depth);
    default:
      return false;
  }
}

function isPlainArray(items: readonly unknown[], depth: number): boolean {
  for (let i = 0; i < items.length; i++) if (!isPlainJson(items[i], depth + 1)) return false;
  return true;
}

function isPlainObject(object: object, depth: number): boolean {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const value of Object.values(object)) if (!isPlainJson(value, depth + 1)) return false;
  return true;
}

export interface PayloadOptions {
  readonly serializer: Serializer;
  /** Payloads of more bytes are compressed. */
  readonly compressAboveBytes: number;
  /** Most bytes of a payload, as it is stored. */
  readonly valueBytesMax: number;
}

/** No serializer's text may begin with it. */
const compressedMark = 'z';
const compress = promisify(gzip);
const decompress = promisify(gunzip);
/** What a compressed payload may grow to: a small one can unfold to gigabytes. */
const decompressedBytesMax = 64 * 1_048_576;

/** @throws ForebayError INVALID_VALUE, VALUE_TOO_LARGE */
export async function encodePayload(key: string, value: unknown, options: PayloadOptions): Promise<string> {
  const text = toText(key, value, options.serializer);
  const payload =
    Buffer.byteLength(text) > options.compressAboveBytes
      ? compressedMark + (await compress(text)).toString('base64')
      : text;
  const bytes = Buffer.byteLength(payload);
  if (bytes <= options.valueBytesMax) return payload;
  throw new ForebayError(
    'VALUE_TOO_LARGE',
    `The value of ${key} has ${bytes} bytes, and ${options.valueBytesMax} are allowed. Cache less of it, or raise valueBytesMax.`,
    { context: { key, bytes, valueBytesMax: options.valueBytesMax } },
  );
}

function toText(key: string, value: unknown, serializer: Serializer): string {
  try {
    return serializer.stringify(value);
  } catch (error) {
    const message = `The value of ${key} can't be cached: ${messageOf(error)}. Give plain data, or a serializer that knows it.`;
    throw new ForebayError('INVALID_VALUE', message, { cause: error, context: { key } });
  }
}

export function isCompressed(payload: string): boolean {
  return payload[0] === compressedMark;
}

/** At once, or a promise for a compressed payload: most are not, and a hit should not wait a turn for them. */
export function decodePayload(payload: string, serializer: Serializer): unknown | Promise<unknown> {
  if (!isCompressed(payload)) return serializer.parse(payload);
  const bytes = Buffer.from(payload.slice(1), 'base64');
  return decompress(bytes, { maxOutputLength: decompressedBytesMax }).then((text) =>
    serializer.parse(text.toString()),
  );
}
