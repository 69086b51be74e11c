/** What stands in an entry of the cache, as README.md describes it. */

/** Versions of a value's tags, by tag, as they were before the value was loaded. */
export type TagVersions = ReadonlyMap<string, string>;

export interface ValueEntry {
  /** New with each fill; `''` for a plain integer. */
  readonly id: string;
  /** In ms since 1970 by the server's clock; Infinity: as long as the entry lives. */
  readonly freshUntilMs: number;
  readonly tags: TagVersions;
  readonly payload: string;
}

const noTags: TagVersions = new Map();
const plainInteger = /^-?\d+$/;

/** The value that stands in an entry or that a lease in it covers; undefined when there is none. */
export function parseValueEntry(content: string | null): ValueEntry | undefined {
  if (content === null || content === '') return undefined;
  switch (content[0]) {
    case 'V':
      return parseValue(content);
    case '?':
      return parseValueEntry(content.slice(content.indexOf('|') + 1));
    default:
      return plainInteger.test(content)
        ? { id: '', freshUntilMs: Number.POSITIVE_INFINITY, tags: noTags, payload: content }
        : undefined;
  }
}

function parseValue(content: string): ValueEntry {
  const idEnd = content.indexOf(';');
  const freshEnd = content.indexOf(';', idEnd + 1);
  const headEnd = content.indexOf('|', freshEnd + 1);
  return {
    id: content.slice(1, idEnd),
    freshUntilMs:
      freshEnd === idEnd + 1 ? Number.POSITIVE_INFINITY : Number(content.slice(idEnd + 1, freshEnd)),
    tags: headEnd === freshEnd + 1 ? noTags : parseTags(content.slice(freshEnd + 1, headEnd)),
    payload: content.slice(headEnd + 1),
  };
}

export function formatValueEntry({ id, freshUntilMs, tags, payload }: ValueEntry): string {
  const freshUntil = Number.isFinite(freshUntilMs) ? Math.round(freshUntilMs) : '';
  return `V${id};${freshUntil};${formatTags(tags)}|${payload}`;
}

/** Names are encoded, as they may have any character. */
function formatTags(tags: TagVersions): string {
  return [...tags].map(([tag, version]) => `${encodeURIComponent(tag)}=${version}`).join(',');
}

function parseTags(text: string): TagVersions {
  const pairs = text.split(',').map((pair) => pair.split('=') as [string, string]);
  return new Map(pairs.map(([tag, version]) => [decodeURIComponent(tag), version]));
}
