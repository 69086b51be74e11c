/** CHANGELOG.md at a release: what was unreleased gets the version and its day. */
import { ReleaseProblem } from './problem.js';

const unreleased = '## Unreleased\n';

/** @throws ReleaseProblem when nothing is unreleased */
export function releasedChangelog(text: string, version: string, day: string): string {
  const [before, after] = text.split(unreleased) as [string, string?];
  const section = after?.split(/^## /m)[0]?.trim() ?? '';
  if (section === '') throw new ReleaseProblem('CHANGELOG.md has nothing under "## Unreleased".');
  return `${before}${unreleased}\n## ${version} (${day})\n${after}`;
}

/** What the CHANGELOG says of a version; undefined: nothing. */
export function sectionOf(text: string, version: string): string | undefined {
  const sections = text.split(/^## /m).slice(1);
  const found = sections.find((section) => section.split(/[\s(]/, 1)[0] === version);
  return found?.split('\n').slice(1).join('\n').trim() || undefined;
}
