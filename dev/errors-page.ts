/** `npm run docs:errors`: writes docs/errors.md, from the texts in src/errors.ts. */
import { writeFileSync } from 'node:fs';
import { type ErrorCodeDoc, errorCodes } from '../src/errors.js';

export const errorsPage = new URL('../docs/errors.md', import.meta.url);

export function errorsPageText(): string {
  const rows = Object.entries<ErrorCodeDoc>(errorCodes).map(
    ([code, { when, retryable, advice }]) => `| \`${code}\` | ${when} | ${retryable} | ${advice} |`,
  );
  return `# Errors

Made from \`src/errors.ts\` by \`npm run docs:errors\`; do not edit it here.

Whatever forebay throws is a \`ForebayError\`, told apart by its \`code\`. Its \`message\` says what is wrong, where, and what to do; \`context\` has the same
facts as data, \`cause\` what it comes from. \`retryable\` says whether the same call can succeed later without a change by the caller; where the table says
*sometimes*, look at the error's own.

\`\`\`ts
import { isForebayError } from 'forebay';

try {
  await app.stores.orders.put(order);
} catch (error) {
  if (!isForebayError(error, 'BACKLOG_FULL')) throw error;
  await tellTooBusy();
}
\`\`\`

| code | when | retryable | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(errorsPage, errorsPageText());
