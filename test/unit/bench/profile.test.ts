import { expect, it } from 'vitest';
import type { CpuProfile } from '../../../bench/profile/cpu-profile.js';
import { flameGraph } from '../../../bench/profile/flame-graph.js';
import { partsOf, partsTable } from '../../../bench/profile/parts.js';

const node = (id: number, functionName: string, url = '', children: number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
});
const profile: CpuProfile = {
  nodes: [
    node(1, '(root)', '', [2, 3, 6]),
    node(2, '(idle)'),
    node(3, 'put', 'file:///x/dist/src/client/writing/put.js', [4, 5]),
    node(4, 'send<"', 'file:///x/node_modules/ioredis/built/Redis.js'),
    node(5, 'writev', 'node:net'),
    node(6, '(garbage collector)'),
  ],
  samples: [2, 3, 4, 4, 5, 6],
  timeDeltas: [1_000, 100, 200, 100, 50, 50],
};

it('the time of a profile is told by part, for each write, without what was idle', () => {
  expect([...partsOf(profile, 100)]).toEqual([
    ['ioredis', 3],
    ['src/client/writing', 1],
    ['Node', 0.5],
    ['garbage collection', 0.5],
  ]);
  expect(partsTable('app', partsOf(profile, 100))).toMatch(/\| all +\| +5\.00 \|/);
});

it('a frame of the graph is as wide as what it and all that it calls took', () => {
  const svg = flameGraph('app', profile);
  expect(svg).toContain(
    '<title>put · src/client/writing · 0.5 ms</title><rect x="0.0" y="34" width="1440.0"',
  );
  expect(svg).toContain('<title>send&lt;&quot; · ioredis · 0.3 ms</title>');
  expect(svg).not.toContain('(idle)');
});
