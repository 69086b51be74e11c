/** A value's payload in its entry: its text, compressed when that is long. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Serializer } from '../../definitions/serializer.js';
import { ForebayError, messageOf } from '../../errors.js';

export interface PayloadOptions {
  readonly serializer: Serializer;
  /** Payloads of more bytes are compressed. */
  readonly compressAboveBytes: number;
  /** Most bytes of a payload, as it is stored. */
  readonly valueBytesMax: number;
}

const compressedMark = 'z';
/** Stands before a text that begins with one of the marks. */
const plainMark = '=';
const compress = promisify(gzip);
const decompress = promisify(gunzip);
/** What a compressed payload may grow to: a small one can unfold to gigabytes. */
const textBytesMax = 64 * 1_048_576;

/** @throws ForebayError INVALID_VALUE, VALUE_TOO_LARGE */
export async function encodePayload(key: string, value: unknown, options: PayloadOptions): Promise<string> {
  const text = toText(key, value, options.serializer);
  checkBytes(key, Buffer.byteLength(text), textBytesMax);
  const payload =
    Buffer.byteLength(text) > options.compressAboveBytes
      ? compressedMark + (await compress(text)).toString('base64')
      : marked(text);
  checkBytes(key, Buffer.byteLength(payload), options.valueBytesMax);
  return payload;
}

function checkBytes(key: string, bytes: number, bytesMax: number): void {
  if (bytes <= bytesMax) return;
  throw new ForebayError(
    'VALUE_TOO_LARGE',
    `The value of ${key} has ${bytes} bytes, and ${bytesMax} are allowed. Cache less of it, or raise valueBytesMax.`,
    { context: { key, bytes, bytesMax } },
  );
}

/** What a serializer of one's own gives is a text that comes back as it is, or the value can't be cached. */
function toText(key: string, value: unknown, serializer: Serializer): string {
  try {
    const text: unknown = serializer.stringify(value);
    if (typeof text !== 'string') throw new Error(`its serializer gave ${typeof text} rather than a text`);
    if (!text.isWellFormed()) throw new Error('its text has half a surrogate pair, which has no UTF-8');
    return text;
  } catch (error) {
    const message = `The value of ${key} can't be cached: ${messageOf(error)}. Give plain data, or a serializer that knows it.`;
    throw new ForebayError('INVALID_VALUE', message, { cause: error, context: { key } });
  }
}

function marked(text: string): string {
  return text[0] === compressedMark || text[0] === plainMark ? plainMark + text : text;
}

export function isCompressed(payload: string): boolean {
  return payload[0] === compressedMark;
}

/**
 * At once, or a promise for a compressed payload: most are not, and a hit should not wait a turn for them.
 */
export function decodePayload(payload: string, serializer: Serializer): unknown | Promise<unknown> {
  if (!isCompressed(payload)) return parsePlain(payload, serializer);
  const bytes = Buffer.from(payload.slice(1), 'base64');
  return decompress(bytes, { maxOutputLength: textBytesMax }).then((text) =>
    serializer.parse(text.toString()),
  );
}

/** Of a payload that is not compressed. */
export function parsePlain(payload: string, serializer: Serializer): unknown {
  return serializer.parse(payload[0] === plainMark ? payload.slice(plainMark.length) : payload);
}
