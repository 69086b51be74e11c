/** What stands in an entry of the cache, as README.md describes it. */

/** Versions of a value's tags, by tag, as they were before the value was loaded. */
export type TagVersions = ReadonlyMap<string, string>;

export interface ValueHead {
  /** New with each fill; `''` for a plain integer. */
  readonly id: string;
  /** In ms since 1970 by the server's clock; Infinity: as long as the entry lives. */
  readonly freshUntilMs: number;
  /** What its load took; 0 when nobody has to know. */
  readonly loadMs: number;
}

export interface ValueEntry extends ValueHead {
  readonly tags: TagVersions;
  readonly payload: string;
}

const noTags: TagVersions = new Map();
const plainInteger = /^-?\d+$/;

/** What an entry holds: a value, a lease over one, a lease over nothing, or nothing that is known here. */
export interface EntryContent {
  readonly value?: ValueEntry;
  /** The lease's token. */
  readonly lease?: string;
}

const empty: EntryContent = {};

export function parseEntryContent(content: string | null): EntryContent {
  switch (content?.[0]) {
    case undefined:
      return empty;
    case 'V':
      return { value: parseValue(content as string) };
    case '?':
      return parseLease(content as string);
    default:
      return plainInteger.test(content as string) ? { value: integerValue(content as string) } : empty;
  }
}

function parseLease(content: string): EntryContent {
  const headEnd = content.indexOf('|');
  if (headEnd === -1) return empty;
  const { value } = parseEntryContent(content.slice(headEnd + 1));
  const lease = content.slice(1, content.indexOf(';'));
  return value === undefined ? { lease } : { lease, value };
}

function integerValue(content: string): ValueEntry {
  return { id: '', freshUntilMs: Number.POSITIVE_INFINITY, loadMs: 0, tags: noTags, payload: content };
}

function parseValue(content: string): ValueEntry {
  const idEnd = content.indexOf(';');
  const freshEnd = content.indexOf(';', idEnd + 1);
  const headEnd = content.indexOf('|', freshEnd + 1);
  const rest = headEnd === freshEnd + 1 ? '' : content.slice(freshEnd + 1, headEnd);
  const tagsEnd = rest.indexOf(';');
  return {
    id: content.slice(1, idEnd),
    freshUntilMs:
      freshEnd === idEnd + 1 ? Number.POSITIVE_INFINITY : Number(content.slice(idEnd + 1, freshEnd)),
    loadMs: tagsEnd === -1 ? 0 : Number(rest.slice(tagsEnd + 1)),
    tags: rest === '' || tagsEnd === 0 ? noTags : parseTags(tagsEnd === -1 ? rest : rest.slice(0, tagsEnd)),
    payload: content.slice(headEnd + 1),
  };
}

export function formatValueEntry({ id, freshUntilMs, loadMs, tags, payload }: ValueEntry): string {
  const freshUntil = Number.isFinite(freshUntilMs) ? Math.round(freshUntilMs) : '';
  const load = loadMs === 0 ? '' : `;${Math.ceil(loadMs)}`;
  return `V${id};${freshUntil};${formatTags(tags)}${load}|${payload}`;
}

/** Names are encoded, as they may have any character. */
function formatTags(tags: TagVersions): string {
  return [...tags].map(([tag, version]) => `${encodeURIComponent(tag)}=${version}`).join(',');
}

function parseTags(text: string): TagVersions {
  const pairs = text.split(',').map((pair) => pair.split('=') as [string, string]);
  return new Map(pairs.map(([tag, version]) => [decodeURIComponent(tag), version]));
}
