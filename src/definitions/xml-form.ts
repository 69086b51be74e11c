/**
 * XML as Postgres's type holds it. What is not well-formed is found as far as that takes no parser of
 * documents.
 */

const token =
  /<!--(?:(?!--)[\s\S])*-->|<!\[CDATA\[(?:(?!\]\]>)[\s\S])*\]\]>|<\?(?!xml[\s?])[^\s?]+(?:(?!\?>)[\s\S])*\?>|<\/([^\s<>/]+)\s*>|<([A-Za-z_:\u0080-\uffff][^\s<>/=]*)((?:\s+[^\s=<>/"']+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+/y;

// With version 1.0 and nothing of being standalone, it says nothing: Postgres does not keep it.
const emptyDeclaration =
  /^<\?xml\s+version\s*=\s*(["'])1\.0\1(?:\s+encoding\s*=\s*(?:"[^"]*"|'[^']*'))?\s*\?>\n?/;

/** Undefined when it is not well-formed. */
export function xmlForm(text: string): string | undefined {
  const content = text.replace(emptyDeclaration, '');
  return isContent(content) ? content : undefined;
}

function isContent(text: string): boolean {
  const open: string[] = [];
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) return false;
    const [whole, end, start, attributes = '', isEmpty] = found;
    if (end !== undefined && open.pop() !== end) return false;
    if (start !== undefined && isEmpty === '') open.push(start);
    const isText = start !== undefined || !whole.startsWith('<');
    if (isText && (hasBareAmpersand(whole) || hasTwice(attributes))) return false;
  }
  return open.length === 0;
}

function hasBareAmpersand(text: string): boolean {
  return /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)/.test(text);
}

function hasTwice(attributes: string): boolean {
  const names = [...attributes.matchAll(/([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*')/g)].map(([, name]) => name);
  return new Set(names).size < names.length;
}
