/**
 * `forebay/metrics`: what an app or a worker measures, for Prometheus, by prom-client: `metricsOf(app)`. What
 * there is: docs/metrics.md.
 */
import type { Registry } from 'prom-client';
import type { Backlog } from './buffer/backlog.js';
import type { CacheStatistics } from './cache-statistics.js';
import type { RedisMetrics } from './connection/connection-metrics.js';
import type { Emit } from './events.js';
import { countEvents } from './metrics/event-metrics.js';
import { LookedAt, type Looks } from './metrics/looks.js';
import { MetricSet } from './metrics/metric-set.js';
import * as prom from './peers/prom-client.js';
import type { Health } from './vitals/health.js';

export type { CountedCache, Looks } from './metrics/looks.js';

/** What a connected app has that is measured; what `connect` gives has it. */
export interface MeasuredApp {
  /** Its stores, by their names. */
  readonly stores: object;
  /** Its cache. */
  readonly cache: { getStats(): CacheStatistics };
  /** Its connections to Redis. */
  readonly redis: { getRedisMetrics(): RedisMetrics };
  /** Whether what it needs answers. */
  readonly health: Health;
  /** What waits in the lanes. */
  backlog(): Promise<Backlog>;
  /** Tells what happens. */
  listen(listener: Emit): () => void;
}

/** What a worker's role has that is measured. */
export interface MeasuredRole {
  /** What it can be asked, once it is started. */
  readonly looks?: Looks;
  /** Tells what happens. */
  listen?(listener: Emit): () => void;
}

/** How an app or a worker is measured. */
export interface MetricsOptions {
  /**
   * Where the metrics go: the app's own registry of prom-client, `register`, so that they are among its own.
   * Default: a new one.
   */
  readonly registry?: Registry;
  /**
   * Also memory, CPU, event loop and garbage of the process. Default: no, for the app has them, as a rule.
   */
  readonly ofProcess?: boolean;
}

/** What `metricsOf` gives. */
export interface Metrics {
  /** Where the metrics are. */
  readonly registry: Registry;
  /** The content type of `text`. */
  readonly contentType: string;
  /** All metrics of the registry, as Prometheus reads them. */
  text(): Promise<string>;
  /** Measures no more, and takes the metrics out of the registry. */
  stop(): void;
}

/**
 * Measures an app, or a worker that is started, from now on; once for a registry.
 * @throws Error of prom-client when the registry has these metrics already
 */
export function metricsOf(
  measured: MeasuredApp | MeasuredRole,
  { registry = new prom.Registry(), ofProcess = false }: MetricsOptions = {},
): Metrics {
  const looks = 'stores' in measured ? looksOf(measured) : (measured.looks ?? {});
  const looked = new LookedAt(looks);
  const set = new MetricSet({
    registry,
    sources: new Set(['events', ...looked.sources]),
    look: () => looked.look(),
  });
  looked.fill(set);
  const deafen = measured.listen?.(countEvents(set));
  if (ofProcess) prom.collectDefaultMetrics({ register: registry });
  return {
    registry,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    stop() {
      deafen?.();
      set.remove();
    },
  };
}

function looksOf(app: MeasuredApp): Looks {
  return {
    backlog: () => app.backlog(),
    cache: async () => ({ statistics: app.cache.getStats(), stores: Object.keys(app.stores) }),
    redis: async () => app.redis.getRedisMetrics(),
    needs: async () => (await app.health.ready()).checks.filter(({ name }) => name !== 'started'),
  };
}
