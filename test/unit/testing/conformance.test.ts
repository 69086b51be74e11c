/** The kit in memory, held to the specifications that a connected app is held to. */
import { createTestForebay } from '../../../src/testing/test-forebay.js';
import { conformanceStores } from '../../support/conformance/stores.js';
import { describeConformance } from '../../support/conformance/suite.js';
import { describeTogether, togetherStores } from '../../support/conformance/together.js';

describeConformance(
  'in memory',
  async () => {
    const app = await createTestForebay(conformanceStores);
    return { app, another: () => createTestForebay(conformanceStores), close: () => app.close() };
  },
  20,
);

describeTogether('in memory', async () => {
  const app = await createTestForebay(togetherStores);
  return { app, close: () => app.close() };
});
