/** What Next caches as text: plain data, with Buffers and Maps in it. */

const bytesMark = '$forebay.bytes';
const mapMark = '$forebay.map';

export function toNextText(value: unknown): string {
  // Not the replacer's second parameter: a Buffer has a toJSON, which is called before.
  return JSON.stringify(value, function (this: Record<string, unknown>, name: string, given: unknown) {
    const own = this[name];
    if (own instanceof Uint8Array) return { [bytesMark]: Buffer.from(own).toString('base64') };
    if (own instanceof Map) return { [mapMark]: [...own] };
    return given;
  });
}

export function fromNextText(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    const marked = value as Record<string, unknown>;
    if (typeof marked[bytesMark] === 'string') return Buffer.from(marked[bytesMark], 'base64');
    if (Array.isArray(marked[mapMark])) return new Map(marked[mapMark] as [unknown, unknown][]);
    return value;
  });
}
