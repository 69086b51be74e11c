/** An app on one Redis and in a cluster, held to the specifications that the kit in memory is held to. */

import { startRedisCluster } from '../../dev/services/redis-cluster.js';
import type { Config } from '../../src/config.js';
import { conformanceStores } from '../support/conformance/stores.js';
import { describeConformance, type Subject } from '../support/conformance/suite.js';
import { describeTogether, togetherStores } from '../support/conformance/together.js';
import { createEnvironment } from '../support/environment.js';

async function openOn(config: (own: Config) => Config): Promise<Subject> {
  const environment = await createEnvironment();
  const own = config(environment.config);
  const another = () => environment.connect(conformanceStores, { config: own });
  await environment.startWorker(conformanceStores, {}, environment.prisma, own);
  return { app: await another(), another, close: () => environment.close() };
}

const runs = Number(process.env.CONFORMANCE_RUNS ?? 10);

describeConformance('on one Redis', () => openOn((own) => own), runs);

describeConformance('in a cluster', () => inCluster(openOn), 5);

describeTogether('on one Redis', () => openTogether((own) => own));

describeTogether('in a cluster', () => inCluster(openTogether));

async function openTogether(config: (own: Config) => Config) {
  const environment = await createEnvironment();
  const own = config(environment.config);
  await environment.startWorker(togetherStores, {}, environment.prisma, own);
  return {
    app: await environment.connect(togetherStores, { config: own }),
    close: () => environment.close(),
  };
}

async function inCluster<S extends { close(): Promise<void> }>(
  open: (config: (own: Config) => Config) => Promise<S>,
): Promise<S> {
  const cluster = await startRedisCluster();
  const { settings } = cluster;
  const subject = await open((own) => ({ ...own, redis: settings, queueRedis: settings }));
  return {
    ...subject,
    async close() {
      await subject.close();
      await cluster.remove();
    },
  };
}
