/** Names in SQL. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quoteIdentifier } from '../../../src/connection/identifier.js';

it('a quoted name ends where it ends, whatever it contains', () => {
  expect(quoteIdentifier('team_members')).toBe('"team_members"');
  expect(quoteIdentifier('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"');
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', 'a', ';', ' ') }), (name) => {
      const quoted = quoteIdentifier(name);
      expect(quoted.slice(1, -1).replaceAll('""', '')).not.toContain('"');
      expect(quoted.slice(1, -1).replaceAll('""', '"')).toBe(name);
    }),
  );
});
