/** The page of metrics, the dashboard and the alert rules against the catalogue. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { metricsPage, metricsPageText } from '../../../dev/metrics-page.js';
import { catalogue, type MetricDefinition } from '../../../src/metrics/catalogue.js';

const metrics = Object.entries(catalogue) as [string, MetricDefinition][];
const read = (name: string): string =>
  readFileSync(new URL(`../../../docs/monitoring/${name}`, import.meta.url), 'utf8');

describe('the catalogue', () => {
  it('docs/metrics.md is what `npm run docs:metrics` writes', () => {
    expect(readFileSync(metricsPage, 'utf8')).toBe(metricsPageText());
  });

  test.each(metrics)('%s is named as Prometheus asks for', (name, { kind, labels, help, buckets }) => {
    expect(name).toMatch(/^forebay_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(kind === 'counter');
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|count|sum|bucket)(_|$)/);
    expect(help).toMatch(/^[^|\n]+[.…]$/);
    const bounded = [
      'store',
      'namespace',
      'queue',
      'schedule',
      'outcome',
      'tier',
      'what',
      'connection',
      'type',
    ];
    expect(labels.filter((label) => !bounded.includes(label))).toEqual([]);
    expect(buckets !== undefined).toBe(kind === 'histogram');
    expect([...(buckets ?? [])]).toEqual([...(buckets ?? [])].sort((a, b) => a - b));
  });
});

const panelShape = z.object({
  id: z.number(),
  title: z.string().min(1),
  type: z.enum(['row', 'stat', 'timeseries']),
  gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
  targets: z.array(z.object({ refId: z.string(), expr: z.string() })).optional(),
});
const dashboardShape = z.object({
  uid: z.string(),
  title: z.string(),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
  panels: z.array(panelShape).min(10),
});
const rulesShape = z.object({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Forebay[A-Z][A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[smh]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
});

const dashboard = dashboardShape.parse(JSON.parse(read('dashboard.json')));
const rules = rulesShape.parse(load(read('alerts.yml'))).groups.flatMap((group) => group.rules);
const queries = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...dashboard.templating.list.flatMap(({ name, definition }) =>
    definition === undefined ? [] : [[name, definition] as const],
  ),
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
];

/** Of each name that a query may have, its labels; of Prometheus, and of prom-client's own metrics, any. */
let labelsOf: Map<string, readonly string[]>;

beforeAll(() => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  labelsOf = new Map(registry.getMetricsAsArray().map(({ name }) => [name, []]));
  for (const [name, { kind, labels }] of metrics) {
    const parts = kind === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    for (const part of parts) labelsOf.set(`${name}${part}`, labels);
  }
});

test.each(queries)('%s asks for what there is: %s', (_, expr) => {
  const names = expr.match(/\b(forebay|nodejs|process)_[a-z0-9_]+/g) ?? [];
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !labelsOf.has(name))).toEqual([]);
  const given = ['role', 'instance', 'job', 'le'];
  const known = new Set([...given, ...names.flatMap((name) => labelsOf.get(name) ?? [])]);
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) =>
    (list as string).split(/, */),
  );
  const selected = [...expr.matchAll(/[{,]\s*([a-z_]+)(?:=~|!~|!=|=)"/g)].map(([, label]) => label as string);
  expect([...grouped, ...selected].filter((label) => !known.has(label))).toEqual([]);
});

test.each(queries)(
  '%s counts counters by their rate, and takes what all processes tell once: %s',
  (_, expr) => {
    const counters = expr.match(/[a-z]+\(forebay_[a-z_]+_(total|bucket|sum|count)\b/g) ?? [];
    expect(counters.filter((call) => !/^(rate|increase)\(/.test(call))).toEqual([]);
    const global =
      expr.match(/[a-z]+( by \([a-z, ]*\))? \(forebay_(oldest_dirty|dirty|sealed|waiting|dead)/g) ?? [];
    expect(global.filter((call) => !call.startsWith('max'))).toEqual([]);
  },
);

describe('the dashboard', () => {
  it('has panels of their own, beside each other', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (__, i) => `${x + (i % w)}/${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBeLessThanOrEqual(24);
  });

  it('or an alert shows every metric', () => {
    const all = queries.map(([, expr]) => expr).join('\n');
    expect(metrics.filter(([name]) => !all.includes(name)).map(([name]) => name)).toEqual([]);
  });
});

describe('the alert rules', () => {
  it('are told apart by their names, and say what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { annotations, expr } of rules) {
      const templated = annotations.summary.matchAll(/\$labels\.([a-z_]+)/g);
      for (const [, label] of templated) expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
    }
  });
});
