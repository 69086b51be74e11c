/** The metrics of one process, made of the catalogue as prom-client has them. */
import type * as prom from 'prom-client';
import { Counter, Gauge, Histogram } from '../peers/prom-client.js';
import { catalogue, type MetricDefinition, type MetricName, type MetricSource } from './catalogue.js';

type Labels = Readonly<Record<string, string>>;
type Metric = prom.Counter | prom.Gauge | prom.Histogram;
export type Sample = readonly [labels: Labels, value: number];

export interface MetricSetOptions {
  readonly registry: prom.Registry;
  /** Which metrics there are to be. */
  readonly sources: ReadonlySet<MetricSource>;
  /** Called at each scrape, before what is looked at is told. */
  readonly look: () => Promise<void>;
}

export class MetricSet {
  readonly #metrics = new Map<MetricName, Metric>();
  readonly #registry: prom.Registry;

  constructor({ registry, sources, look }: MetricSetOptions) {
    this.#registry = registry;
    for (const [name, definition] of Object.entries(catalogue) as [MetricName, MetricDefinition][]) {
      if (!sources.has(definition.from)) continue;
      const collect = definition.from === 'events' ? undefined : look;
      this.#metrics.set(name, create(name, definition, { registry, collect }));
    }
  }

  /** Of a counter. */
  add(name: MetricName, labels: Labels, value = 1): void {
    (this.#metrics.get(name) as prom.Counter | undefined)?.inc(labels, value);
  }

  /** Of a gauge, which is told of by events. */
  set(name: MetricName, labels: Labels, value: number): void {
    (this.#metrics.get(name) as prom.Gauge | undefined)?.set(labels, value);
  }

  /** Of a histogram. */
  observe(name: MetricName, labels: Labels, value: number): void {
    (this.#metrics.get(name) as prom.Histogram | undefined)?.observe(labels, value);
  }

  /** All samples of what was looked at; a counter is what somebody else has counted. */
  replace(name: MetricName, samples: readonly Sample[]): void {
    const metric = this.#metrics.get(name) as prom.Counter | prom.Gauge | undefined;
    metric?.reset();
    for (const [labels, value] of samples) metric?.inc(labels, value);
  }

  /** Takes them out of the registry. */
  remove(): void {
    for (const name of this.#metrics.keys()) this.#registry.removeSingleMetric(name);
    this.#metrics.clear();
  }
}

function create(
  name: string,
  { kind, labels, help, buckets }: MetricDefinition,
  { registry, collect }: { registry: prom.Registry; collect: (() => Promise<void>) | undefined },
): Metric {
  const options = {
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    ...(collect && { collect }),
  };
  if (kind === 'counter') return new Counter(options);
  if (kind === 'gauge') return new Gauge(options);
  return new Histogram({ ...options, ...(buckets && { buckets: [...buckets] }) });
}
