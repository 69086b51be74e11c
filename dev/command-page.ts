/** `npm run docs:commands`: writes docs/command-line.md, from the commands' own help. */
import { writeFileSync } from 'node:fs';
import { checkCodes } from '../src/cli/check/codes.js';
import { commands } from '../src/cli/commands.js';
import { commandHelp, helpOf } from '../src/cli/help.js';

export const commandPage = new URL('../docs/command-line.md', import.meta.url);

export function commandPageText(): string {
  const sections = commands.map(
    (command) => `## forebay ${command.name}\n\n${indented(commandHelp(command))}`,
  );
  const rows = checkCodes.map(
    ({ code, severity, about }) =>
      `| \`${code}\` | ${severity === 'warning' ? 'warning' : 'error'} | ${about} |`,
  );
  return `# The command line

Made from the commands' help by \`npm run docs:commands\`; do not edit it here.

${indented(helpOf(commands))}
${sections.join('\n')}
## What the check tells of

Each finding has a code that stays the same, what is wrong, what comes of it, and the line that mends it: for \`redis-cli\`, for \`psql\` (SQL), for the
environment or for a shell.

| code | | what is wrong |
| --- | --- | --- |
${rows.join('\n')}
`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ');
}

if (process.argv[1] === import.meta.filename) writeFileSync(commandPage, commandPageText());
