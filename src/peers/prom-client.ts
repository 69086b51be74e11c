/** prom-client: metrics for Prometheus. */
import { peer } from './peer.js';

export const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } =
  peer<typeof import('prom-client')>('prom-client');
