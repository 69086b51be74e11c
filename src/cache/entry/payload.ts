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
