/**
 * Texts as Postgres's types of text hold them: what Postgres would change is changed before, what it would
 * refuse is refused.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import type { NativeType } from './model.js';
import { xmlForm } from './xml-form.js';

export interface TextForm {
  /** The text as its column holds it; undefined when the column can't. */
  form(text: string): string | undefined;
  /** What the column takes, in words. */
  readonly expected: string;
  /** Of texts that the column holds for equal, the one that stands for them in a key. */
  key?(text: string): string;
  /** The text of a key as its column gives it back. */
  ofKey?(key: string): string;
}

/** Made once for each field: every write asks for them. */
const known = new WeakMap<NativeType, TextForm | null>();

/** Undefined for types that hold any text as it is. */
export function textFormOf(native: NativeType | undefined): TextForm | undefined {
  if (native === undefined) return undefined;
  let form = known.get(native);
  if (form === undefined) {
    form = forms[native.name]?.(native.args[0]) ?? null;
    known.set(native, form);
  }
  return form ?? undefined;
}

const forms: Readonly<Record<string, (length: number | undefined) => TextForm | undefined>> = {
  VarChar: (length) =>
    length === undefined
      ? undefined
      : { form: (text) => cut(text, length), expected: `a text of at most ${length} characters` },
  Char: (length = 1) => ({
    form: (text) => padded(cut(text, length), length),
    expected: `a text of at most ${length} characters`,
    // Blanks at the end are none to Postgres.
    key: (text) => text.replace(/ +$/, ''),
    ofKey: (key) => padded(key, length) as string,
  }),
  Uuid: () => ({ form: uuidForm, expected: 'a UUID' }),
  Bit: (length = 1) => ({
    form: (text) => bitForm(text, (bits) => bits === length),
    expected: `a text of ${length} times 0 or 1`,
  }),
  VarBit: (length) => ({
    form: (text) => bitForm(text, (bits) => length === undefined || bits <= length),
    expected: `a text of 0 and 1${length === undefined ? '' : `, at most ${length} of them`}`,
  }),
  Inet: () => ({ form: inetForm, expected: 'an IPv4 or IPv6 address, perhaps with /bits' }),
  Xml: () => ({ form: xmlForm, expected: 'well-formed XML' }),
  // The column gives back the case that was written, and compares without it.
  Citext: () => ({ form: (text) => text, expected: 'a text', key: (text) => text.toLowerCase() }),
};

/** What is too long and blank is cut off, as the SQL standard has it. */
function cut(text: string, length: number): string | undefined {
  if (text.length <= length) return text;
  const characters = [...text];
  if (characters.length <= length) return text;
  return characters.slice(length).every((character) => character === ' ')
    ? characters.slice(0, length).join('')
    : undefined;
}

function padded(text: string | undefined, length: number): string | undefined {
  return text === undefined ? undefined : text + ' '.repeat(length - [...text].length);
}

function uuidForm(text: string): string | undefined {
  const isBraced = text.startsWith('{');
  if (isBraced !== text.endsWith('}')) return undefined;
  const bare = isBraced ? text.slice(1, -1) : text;
  if (!/^[0-9a-f]{4}(-?[0-9a-f]{4}){7}$/i.test(bare)) return undefined;
  const digits = bare.replaceAll('-', '').toLowerCase();
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function bitForm(text: string, isLength: (bits: number) => boolean): string | undefined {
  return /^[01]*$/.test(text) && isLength(text.length) ? text : undefined;
}

function inetForm(text: string): string | undefined {
  const [address = '', bits, more] = text.split('/');
  const bitsMax = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : undefined;
  if (bitsMax === undefined || more !== undefined) return undefined;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax)) return undefined;
  const form = bitsMax === 32 ? address : new SocketAddress({ address, family: 'ipv6' }).address;
  return bits === undefined || Number(bits) === bitsMax ? form : `${form}/${Number(bits)}`;
}
