/** Three projects: `unit` needs nothing, `integration` and `faults` need Redis and Postgres, which a global set-up provides. */
import { defineConfig } from 'vitest/config';

const withServices = {
  globalSetup: ['test/support/global-setup.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // What is waited for comes soon; on a machine that is busy, later.
  expect: { poll: { timeout: 10_000 } },
};

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...withServices } },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          ...withServices,
          testTimeout: 120_000,
        },
      },
    ],
  },
});
