/** docs/glossary.md: the words of docs/architecture.md, in the order of the alphabet. */
import { readPage } from './pages.js';

export const glossaryFile = 'docs/glossary.md';

export function glossaryPageText(): string {
  const [, table = ''] = /^## Words\n(.*?)^## /ms.exec(readPage('docs/architecture.md')) ?? [];
  const rows = [...table.matchAll(/^\| (?!word|---)(.*?) \| (.*) \|$/gm)].map(
    ([, word, meaning]) => [word as string, meaning as string] as const,
  );
  const sorted = rows.sort(([one], [other]) => one.localeCompare(other, 'en'));
  const lines = sorted.map(([word, meaning]) => `- **${word}**: ${meaning}`);
  return `# Glossary

Made from the words of [architecture](architecture.md#words) by \`npm run docs:reference\`; do not edit it here. One word for one thing, in TypeScript, Lua, SQL, events, keys and pages alike.

${lines.join('\n')}
`;
}
