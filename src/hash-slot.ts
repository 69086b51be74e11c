/**
 * The slot of a Redis cluster that a key is in: CRC16 of what stands in its first braces
 * (https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/).
 */
export const slotCount = 16_384;

export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return crc16(close > open + 1 ? key.slice(open + 1, close) : key) % slotCount;
}

/** Of a text's UTF-8 bytes. @param before the sum of the text that stands before it */
export function crc16(text: string, before = 0): number {
  return Buffer.from(text).reduce(crc16And, before);
}

/** The sum of a text and one byte more. */
export function crc16And(sum: number, byte: number): number {
  return ((sum << 8) ^ (table[(sum >> 8) ^ byte] as number)) & 0xffff;
}

/** XMODEM: polynomial x¹⁶ + x¹² + x⁵ + 1, from 0. */
const polynomial = 0x1021;

const table = Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 8;
  for (let bit = 0; bit < 8; bit++) sum = (sum << 1) ^ (sum & 0x8000 ? polynomial : 0);
  return sum & 0xffff;
});
