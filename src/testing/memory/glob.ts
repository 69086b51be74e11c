/** Redis's glob patterns: `*`, `?`, `[a-z]`, `[^a]`, and a backslash before what is meant as it is. */

export function globToRegExp(glob: string): RegExp {
  const parts = glob.match(/\\.|\[(?:\\.|[^\]])*\]?|[\s\S]/g) ?? [];
  return new RegExp(`^${parts.map(toSource).join('')}$`, 's');
}

function toSource(part: string): string {
  if (part === '*') return '.*';
  if (part === '?') return '.';
  if (part.length > 1 && part[0] === '[') return toClass(part.replace(/^\[|\]$/g, ''));
  return escaped(part.length > 1 ? part.slice(1) : part);
}

function toClass(inside: string): string {
  const isNot = inside[0] === '^';
  const members = (isNot ? inside.slice(1) : inside).replace(/\\(.)/gs, '$1').replace(/[\\\]^]/g, '\\$&');
  if (members === '') return isNot ? '.' : '(?!)';
  return `[${isNot ? '^' : ''}${members}]`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
