/** Three projects: `unit` needs nothing, `integration` and `faults` need Redis and Postgres, which a global set-up provides. */
import { defineConfig } from 'vitest/config';

/** Tests wait for events. Only a hang reaches these limits, also on a machine that is busy with something else. */
const limits = { testTimeout: 300_000, hookTimeout: 300_000, expect: { poll: { timeout: 120_000 } } };
/** What a file has imported, the next one in its process has at once. */
const common = { ...limits, isolate: false };
const withServices = { globalSetup: ['test/support/build.ts', 'test/support/global-setup.ts'], ...common };

export default defineConfig({
  test: {
    // Most of a test is waiting: three files at once fit on two cores.
    maxWorkers: 3,
    // `npm run coverage`: of the unit tests alone; what needs Redis and Postgres is covered by the others.
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
    },
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], ...common } },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...withServices } },
      { test: { name: 'faults', include: ['test/faults/**/*.test.ts'], ...withServices } },
    ],
  },
});
