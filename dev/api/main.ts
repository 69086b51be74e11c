/** `npm run api:report`: renews the checked-in reports of the public types. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { analyseEntryPoints, reportFolder } from './report.js';

mkdirSync(reportFolder, { recursive: true });
for (const [name, { report }] of analyseEntryPoints()) {
  writeFileSync(path.join(reportFolder, `${name}.api.md`), report);
  console.log(`docs/api/${name}.api.md`);
}
