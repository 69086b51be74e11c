/** The tests of the pure parts that Stryker mutates: `npm run mutation`. They need no build, no Redis and no Postgres. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'test/unit/connection/identifier.test.ts',
      'test/unit/definitions/id.test.ts',
      'test/unit/health-place.test.ts',
      'test/unit/release/*.test.ts',
    ],
  },
});
