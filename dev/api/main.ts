/** `npm run api:report`: renews the checked-in reports of the public types. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeReports, reportFolder } from './report.js';

mkdirSync(reportFolder, { recursive: true });
for (const [name, text] of makeReports()) {
  writeFileSync(path.join(reportFolder, `${name}.api.md`), text);
  console.log(`docs/api/${name}.api.md`);
}
