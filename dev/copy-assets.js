// Copies what tsc leaves behind, the Lua and SQL files, the templates and what the board's pages load, from src to dist/src.
import { cpSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
cpSync(`${root}src`, `${root}dist/src`, {
  recursive: true,
  filter: (path) => ['', '.lua', '.sql', '.txt', '.css', '.js', '.svg'].includes(extname(path)),
});

// When it was built: tests look whether a source is newer.
writeFileSync(`${root}dist/.built`, '');
