/** A release: what the CHANGELOG becomes, and which step of the version a change of the public types asks for. */
import { describe, expect, it } from 'vitest';
import { type Bump, checkBump, leastBump } from '../../../dev/release/bump.js';
import { releasedChangelog, sectionOf } from '../../../dev/release/changelog.js';

const changelog = '# Changelog\n\n## Unreleased\n\n- It is new.\n\n## 1.0.0 (2026-01-01)\n\nFirst.\n';

describe('the CHANGELOG', () => {
  it('gives what was unreleased its version and day, and has room for the next', () => {
    const released = releasedChangelog(changelog, '1.1.0', '2026-02-03');
    expect(sectionOf(released, '1.1.0')).toBe('- It is new.');
    expect(sectionOf(released, '1.0.0')).toBe('First.');
    expect(sectionOf(released, 'Unreleased')).toBeUndefined();
    expect(() => releasedChangelog(released, '1.2.0', '2026-02-04')).toThrow('nothing under "## Unreleased"');
  });
});

describe('the public types', () => {
  const diff = (line: string): string =>
    `--- a/docs/api/x.md\n+++ b/docs/api/x.md\n@@ -1 +1 @@\n connect(): void;\n${line}`;
  it.each<[string, string, Bump]>([
    ['is gone', '-flush(): void;', 'major'],
    ['is another', '-flush(): void;\n+flush(ms: number): void;', 'major'],
    ['is new', '+flush(): void;', 'minor'],
    ['is told better', '-// Flushes.\n+// Flushes all.', 'minor'],
    ['is as it was', '', 'patch'],
  ])('ask for a larger step where one %s', (_, line, least) => {
    expect(leastBump(diff(line))).toBe(least);
  });

  it.each<[string, string, Bump, string | undefined]>([
    ['1.2.3', '2.0.0', 'major', undefined],
    ['1.2.3', '1.3.0', 'major', 'larger step'],
    ['1.2.3', '1.3.0', 'minor', undefined],
    ['1.2.3', '1.2.4', 'minor', 'larger step'],
    ['1.2.3', '1.2.4', 'patch', undefined],
    ['0.1.0', '0.2.0', 'major', undefined],
    ['0.1.0', '0.1.1', 'major', 'larger step'],
    ['0.1.0', '0.1.1', 'minor', undefined],
    ['0.9.0', '1.0.0', 'major', undefined],
    ['1.2.3', '1.2.3', 'patch', 'does not follow'],
    ['1.2.3', '1.4.0', 'patch', 'does not follow'],
    ['1.2.3', '2.0.1', 'patch', 'does not follow'],
    ['1.2.3', 'next', 'patch', 'is no version'],
  ])('let %s be followed by %s after a %s change: %s', (from, to, least, problem) => {
    const checked = (): void => checkBump(from, to, least);
    if (problem === undefined) checked();
    else expect(checked).toThrow(problem);
  });
});
