// Copies what tsc leaves behind, the Lua and SQL files, the templates and what the board's pages load, to where the modules look for it.
import { cpSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
for (const target of ['dist/src', 'dist/package']) {
  cpSync(`${root}src`, `${root}${target}`, {
    recursive: true,
    filter: (path) => ['', '.lua', '.sql', '.txt', '.css', '.js', '.svg'].includes(extname(path)),
  });
}

// When it was built: tests look whether a source is newer.
writeFileSync(`${root}dist/.built`, '');
