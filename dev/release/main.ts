/**
 * `npm run release -- 1.2.3`: checks what is to be released, dates the CHANGELOG, sets the version, commits and
 * tags. Pushing the tag publishes it. `npm run release:check -- v1.2.3`: the same checks for a tag that is there.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { checkBump, leastBump } from './bump.js';
import { releasedChangelog, sectionOf } from './changelog.js';
import { ReleaseProblem } from './problem.js';

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();

interface Manifest {
  readonly version: string;
  readonly repository?: unknown;
}
const manifest = (): Manifest => JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;

function main([first = '', second = '']: readonly string[]): void {
  if (first === '--check') check(second);
  else release(first);
}

function release(version: string): void {
  if (git('status', '--porcelain') !== '') throw new ReleaseProblem('There is work that is not committed.');
  checkRepository();
  checkStep(version, 'HEAD');
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync('CHANGELOG.md', releasedChangelog(readFileSync('CHANGELOG.md', 'utf8'), version, day));
  execFileSync('npm', ['version', version, '--no-git-tag-version', '--allow-same-version'], {
    stdio: 'ignore',
  });
  git('commit', '--all', '--message', `Version ${version}`);
  git('tag', '--annotate', `v${version}`, '--message', `Version ${version}`);
  say(`v${version} is made. git push --follow-tags publishes it.`);
}

function check(tag: string): void {
  const { version } = manifest();
  if (tag !== `v${version}`)
    throw new ReleaseProblem(`The tag ${tag} is not that of package.json: ${version}.`);
  if (sectionOf(readFileSync('CHANGELOG.md', 'utf8'), version) === undefined)
    throw new ReleaseProblem(`CHANGELOG.md says nothing of ${version}.`);
  checkRepository();
  checkStep(version, `${tag}~1`);
  say(`${tag} may be published.`);
}

/** Against the last release before `end`; of a first one there is nothing to compare with. */
function checkStep(version: string, end: string): void {
  const last = git('tag', '--merged', end, '--list', 'v*', '--sort=-version:refname').split('\n')[0];
  if (!last) return;
  checkBump(last.slice(1), version, leastBump(git('diff', last, '--', 'docs/api')));
}

/** npm's provenance names it. */
function checkRepository(): void {
  if (manifest().repository === undefined)
    throw new ReleaseProblem('package.json names no "repository", which npm needs for the provenance.');
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof ReleaseProblem)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
