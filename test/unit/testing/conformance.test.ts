/** The kit in memory, held to the specifications that a connected app is held to. */
import { createTestForebay } from '../../../src/testing/test-forebay.js';
import { conformanceStores } from '../../support/conformance/stores.js';
import { describeConformance } from '../../support/conformance/suite.js';

describeConformance(
  'in memory',
  async () => {
    const app = await createTestForebay(conformanceStores);
    return { app, another: () => createTestForebay(conformanceStores), close: () => app.close() };
  },
  20,
);
