/** Builds the project before the tests, where a source is newer than what is built. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { projectFolder } from './program.js';

const sources = [
  'src',
  'workers',
  'examples',
  'prisma',
  'test/processes',
  'test/support',
  'bench',
  'verify',
  'dev',
];

export function setup(): void {
  const stamp = statSync(path.join(projectFolder, 'dist/.built'), { throwIfNoEntry: false });
  const builtMs = stamp?.mtimeMs ?? 0;
  if (!sources.some((folder) => isNewer(path.join(projectFolder, folder), builtMs))) return;
  execFileSync('npm', ['run', 'build', '--silent'], { cwd: projectFolder, stdio: 'inherit' });
}

function isNewer(folder: string, thanMs: number): boolean {
  return readdirSync(folder, { withFileTypes: true }).some((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name !== 'generated' && isNewer(file, thanMs);
    return statSync(file).mtimeMs > thanMs;
  });
}
