/** Docstrings as Markdown. */

export interface Docstring {
  readonly summary: string;
  readonly params: readonly { readonly name: string; readonly text: string }[];
  readonly returns: string;
  readonly throws: string;
}

export function readDocstring(comment = ''): Docstring {
  const text = comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .replace(/^ *\* ?/gm, '');
  const [summary = '', ...tags] = text.split(/^@(?=param|returns|throws|internal|see)/m);
  const of = (tag: string): string[] =>
    tags.filter((one) => new RegExp(`^${tag}\\s`).test(one)).map((one) => oneLine(one.slice(tag.length + 1)));
  return {
    summary: summary.trim(),
    params: of('param').map((one) => {
      const [, name = '', about = ''] = /^(\S+)(?: -)? (.*)$/.exec(one) ?? [];
      return { name, text: about };
    }),
    returns: of('returns').join(' '),
    throws: of('throws').join(' '),
  };
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Outside of code, what Vue would take for its own. */
export function escaped(text: string): string {
  return text.replace(/(`[^`]*`)|[<>]|\{\{/g, (found, code: string | undefined) => {
    if (code !== undefined) return code;
    return found === '<' ? '&lt;' : found === '>' ? '&gt;' : '&#123;&#123;';
  });
}

export function code(text: string): string {
  return `\`${oneLine(text).replaceAll('|', '\\|')}\``;
}
