/**
 * `forebay/testing`: for tests of apps. `createTestForebay` is the app's client in memory; the other
 * functions work with it as with one that is connected to Redis and Postgres.
 */
export type { TestClock } from './testing/clock.js';
export { type DrainOptions, drain } from './testing/drain.js';
export { expectPersisted, type PersistedApp } from './testing/expect-persisted.js';
export type { FaultPlace } from './testing/faults.js';
export { type FaultyDatabase, withFaults } from './testing/faulty-database.js';
export {
  createTestForebay,
  type InputOf,
  type RecordNames,
  type RowOf,
  type TestDatabase,
  type TestForebay,
  type TestForebayOptions,
} from './testing/test-forebay.js';
