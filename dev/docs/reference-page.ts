/** docs/reference: a page for each entry point, from the docstrings. */
import type { ApiItem } from '../api/names.js';
import type { EntryPoint } from '../api/report.js';
import { code, escaped, oneLine, readDocstring } from './docstring.js';

const titles: Readonly<Record<string, string>> = {
  Function: 'Functions',
  Class: 'Classes',
  Interface: 'Interfaces',
  TypeAlias: 'Types',
  Variable: 'Values',
};

export function referencePageText(name: string, { names }: EntryPoint): string {
  const importName = name === 'forebay' ? 'forebay' : `forebay/${name}`;
  const exported = names.filter(isExported);
  const parts = Object.entries(titles).map(([kind, title]) => {
    const items = exported.filter((one) => one.kind === kind);
    return items.length === 0 ? '' : `## ${title}\n\n${byName(items).map(itemText).join('\n')}\n`;
  });
  return `# ${importName}

Made from the docstrings by \`npm run docs:reference\`; do not edit it here. Options in tables: [options](../options.md).

${parts.filter((part) => part !== '').join('\n')}`.replace(/\n+$/, '\n');
}

function isExported({ canonicalReference = '' }: ApiItem): boolean {
  return !canonicalReference.includes('!~');
}

/** Overloads of a function together. */
function byName(items: readonly ApiItem[]): (readonly ApiItem[])[] {
  return [...new Set(items.map(({ name }) => name))].map((name) => items.filter((one) => one.name === name));
}

function itemText(overloads: readonly ApiItem[]): string {
  const [first] = overloads as [ApiItem];
  const signatures = overloads.map(signatureOf).join('\n');
  const about = overloads.map(({ docComment }) => docText(docComment)).filter((text) => text !== '');
  const members = (first.members ?? []).filter(({ name }) => name !== undefined && name !== '');
  return [
    `### ${first.name}\n`,
    `\`\`\`ts sketch\n${signatures}\n\`\`\`\n`,
    ...new Set(about.map((text) => `${text}\n`)),
    ...(members.length === 0 ? [] : [memberTable(members)]),
  ].join('\n');
}

function signatureOf({ excerptTokens = [] }: ApiItem): string {
  return excerptTokens
    .map(({ text }) => text)
    .join('')
    .replace(/^export declare /, '')
    .replace(/^export /, '')
    .trim();
}

function docText(comment: string | undefined): string {
  const { summary, params, returns, throws } = readDocstring(comment);
  const list = [
    ...params.map(({ name, text }) => `- \`${name}\`: ${text}`),
    ...(returns === '' ? [] : [`- returns ${returns}`]),
    ...(throws === '' ? [] : [`- throws ${throws}`]),
  ];
  return [escaped(summary), escaped(list.join('\n'))].filter((text) => text !== '').join('\n\n');
}

function memberTable(members: readonly ApiItem[]): string {
  const rows = members.map((member) => {
    const about = oneLine(docText(member.docComment)).replaceAll('|', '\\|');
    return `| ${code(signatureOf(member).replace(/;$/, ''))} | ${about} |`;
  });
  return `| member | |\n| --- | --- |\n${rows.join('\n')}\n`;
}
