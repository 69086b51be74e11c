/** Where a process tells of its health, as the environment says it. */
import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { parseHealthPlace } from '../../src/health-place.js';

test.each<[string, object]>([
  ['9464', { kind: 'port', host: '127.0.0.1', from: 9_464, to: 9_464 }],
  ['0', { kind: 'port', host: '127.0.0.1', from: 0, to: 0 }],
  ['9464-9479', { kind: 'port', host: '127.0.0.1', from: 9_464, to: 9_479 }],
  ['0.0.0.0:9464', { kind: 'port', host: '0.0.0.0', from: 9_464, to: 9_464 }],
  ['localhost:1-2', { kind: 'port', host: 'localhost', from: 1, to: 2 }],
  ['[::1]:65535', { kind: 'port', host: '::1', from: 65_535, to: 65_535 }],
  ['unix:/run/forebay/{name}-{pid}.sock', { kind: 'socket', path: '/run/forebay/{name}-{pid}.sock' }],
])('%s is a place', (text, place) => {
  expect(parseHealthPlace(text)).toStrictEqual(place);
});

test.each(['', 'on', ':9464', '65536', '0-9', '9-8', '1:2:3', '::1:9464', 'http://a:1', 'unix:', '1-', '-1'])(
  '%j is none',
  (text) => {
    expect(parseHealthPlace(text)).toBeUndefined();
  },
);

it('a path that the system would cut off is none', () => {
  expect(parseHealthPlace(`unix:/${'x'.repeat(120)}`)).toBeUndefined();
  expect(parseHealthPlace(`unix:/${'é'.repeat(60)}`)).toBeUndefined();
});

it('every pair of ports is taken as it is written, and never one that is no port', () => {
  const port = fc.integer({ min: 0, max: 99_999 });
  fc.assert(
    fc.property(port, port, (from, to) => {
      const isPlace = from > 0 && from <= to && to <= 65_535;
      const place = isPlace ? { kind: 'port', host: 'a', from, to } : undefined;
      expect(parseHealthPlace(`a:${from}-${to}`)).toEqual(from === 0 && to === 0 ? expect.anything() : place);
    }),
  );
});
