import { expect, it } from 'vitest';
import { postgresMessage } from '../../../src/database/session.js';

it.each([
  [{ kind: 'DatabaseNotReachable', host: 'db', port: 6_432 }, 'nobody answers at db:6432'],
  [{ kind: 'DatabaseNotReachable', host: 'db' }, 'nobody answers at db:5432'],
])(
  'a Postgres that nobody answers at is told with its port, which a URL need not have: %j',
  (cause, words) => {
    expect(postgresMessage({ cause })).toBe(words);
  },
);
