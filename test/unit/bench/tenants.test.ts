import { expect, it } from 'vitest';
import { type Round, toPage } from '../../../bench/tenants/report.js';

function roundOf(p99Ms: number, refused = 0): Round {
  const written = { accepted: 10, refused, perSecond: 1_000 };
  const others = { ...written, putP50Ms: 1, putP99Ms: 2, p50Ms: 3, p99Ms };
  return { others, heavy: { ...written, refused: 7 }, redisMicros: 20, isRight: true };
}

it('a time is compared with that of the same round alone, and the middle counts; refusals are summed', () => {
  const page = toPage([
    { name: 'alone', rounds: [10, 100, 1_000].map((ms) => roundOf(ms)) },
    { name: 'beside', rounds: [roundOf(20), roundOf(900, 2), roundOf(1_500, 3)] },
  ]);
  const cells = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const row = cells.find(([, name]) => name === 'beside');
  expect(row?.slice(5, 9)).toEqual(['900', '2.00', '5', '21']);
});
