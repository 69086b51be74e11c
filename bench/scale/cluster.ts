/** Three masters of the bench's own, for the processes that are to work on a cluster. */
import { startRedisCluster } from '../../dev/services/redis-cluster.js';
import type { SiteOptions } from './site.js';

export async function withCluster<T>(
  use: (cluster: NonNullable<SiteOptions['cluster']>) => Promise<T>,
): Promise<T> {
  const cluster = await startRedisCluster();
  const { servers, settings } = cluster;
  try {
    const nodes = settings.nodes.map(({ host, port }) => `${host}:${port}`).join(',');
    const env = { REDIS_URL: '', REDIS_CLUSTER_NODES: nodes, REDIS_PASSWORD: settings.password ?? '' };
    return await use({ urls: servers.map(({ url }) => url), env });
  } finally {
    await cluster.remove();
  }
}
