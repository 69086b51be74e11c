/** What is shown while a replay runs. */
import { expect, test } from 'vitest';
import { LiveLine } from '../../../demo/live-line.js';
import type { Sample } from '../../../demo/watch.js';

function sampleAt(ms: number, commits: number): Sample {
  return {
    ms,
    commits,
    accepted: 0,
    persisted: 0,
    backlog: 1_818,
    oldestDirtyAgeMs: 2_240,
    acceptedPerSecond: 13_279.4,
    persistedPerSecond: 1_566,
  };
}

function outputOf(form: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = [];
  return { ...form, written, write: (text: string) => written.push(text) };
}

test('without a terminal a plain line comes every two seconds, and the last state at the end', () => {
  const output = outputOf();
  const line = new LiveLine(output, 3_597);
  for (const ms of [0, 1_000, 2_000, 2_500, 3_900, 4_100, 4_200]) line.show(sampleAt(ms, ms / 2));
  line.end();
  const figures = 'accepted 13,279/s  rows persisted 1,566/s  backlog 1,818  oldest 2.2 s\n';
  expect(output.written).toEqual([
    `1,000/3,597 commits  ${figures}`,
    `2,050/3,597 commits  ${figures}`,
    `2,100/3,597 commits  ${figures}`,
  ]);
});

test('a state that was shown is not shown again at the end, and a second end shows nothing', () => {
  const output = outputOf();
  const line = new LiveLine(output, 10);
  line.show(sampleAt(2_000, 10));
  line.end();
  line.end();
  expect(output.written).toHaveLength(1);
});

test('nothing is written when there was nothing to show', () => {
  const output = outputOf({ isTTY: true });
  new LiveLine(output, 10).end();
  expect(output.written).toEqual([]);
});

test('on a terminal one line is written anew, with a bar that fills what is left of it', () => {
  const output = outputOf({ isTTY: true, columns: 100 });
  const line = new LiveLine(output, 100);
  line.show(sampleAt(0, 50));
  line.end();
  const bar = `${'█'.repeat(11)}${'░'.repeat(11)}`;
  const text = '50 %  accepted 13,279/s  rows persisted 1,566/s  backlog 1,818  oldest 2.2 s';
  expect(output.written).toEqual([`\r${bar} ${text}\x1b[K`, '\n']);
});

test.each([1, 40, 72, 80, 200])('on a terminal of %i columns the line never wraps', (columns) => {
  const output = outputOf({ isTTY: true, columns });
  new LiveLine(output, 100).show(sampleAt(0, 100));
  const shown = output.written.join('').replace('\r', '').replace('\x1b[K', '');
  expect(shown.length).toBeLessThan(columns);
});
