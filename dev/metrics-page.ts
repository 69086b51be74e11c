/** `npm run docs:metrics`: writes docs/metrics.md, from the catalogue in src/metrics/catalogue.ts. */
import { writeFileSync } from 'node:fs';
import { catalogue, type MetricDefinition, type MetricSource } from '../src/metrics/catalogue.js';

export const metricsPage = new URL('../docs/metrics.md', import.meta.url);

/** Which processes have the metrics of a source. */
const tellers: Record<MetricSource, string> = {
  events: 'who it happens to',
  backlog: 'apps, write-behind',
  cache: 'apps, refresh, warm',
  redis: 'apps, refresh, warm',
  needs: 'all',
  jobs: 'write-behind, refresh, warm, scheduler',
  batches: 'write-behind',
  schedules: 'scheduler',
};

export function metricsPageText(): string {
  const rows = (Object.entries(catalogue) as [string, MetricDefinition][]).map(
    ([name, { kind, labels, help, from }]) =>
      `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} | ${tellers[from]} |`,
  );
  return `# Metrics

Made from \`src/metrics/catalogue.ts\` by \`npm run docs:metrics\`; do not edit it here.

Worker processes and the board answer \`/metrics\` where \`FOREBAY_HEALTH\` says ([operations](operations.md#is-a-process-alive-is-it-ready)), with the process's own metrics
(CPU, memory, event loop) and the label \`role\`. An app has them among its own:

\`\`\`ts
import { metricsOf } from 'forebay/metrics';
import { register } from 'prom-client';

metricsOf(app, { registry: register }); // or, with a registry of its own: metricsOf(app).text()
\`\`\`

Prometheus asks every process, on each machine:

\`\`\`yaml
scrape_configs:
  - job_name: forebay
    static_configs: [{ targets: ['10.0.0.5:9464', '10.0.0.5:9465', '10.0.0.6:9464'] }]
\`\`\`

\`import 'forebay'\` loads no prom-client. A worker of your own that does without \`runWorker\` calls \`metricsOf(service)\` once it is started.

- **Labels are bounded**: stores, schedules, queues, outcomes; never an id, a key or an error. \`namespace\` is a store's name, or what \`cacheKeys\` has defined; all other keys count
  as \`other\`. \`store\` is that of the lane, so a row's counters count as its record's, but for \`refused\`, \`overtaken\` and \`missing\`.
- **What is told by several processes** is the same fact told several times, where it says *over all processes*: take the \`max\`, not the \`sum\`.
- **What has no answer is not told**: while Redis is away the backlog is unknown, and \`forebay_up\` says why.
- **Ready to use**: [a Grafana dashboard](monitoring/dashboard.json) and [alert rules](monitoring/alerts.yml). The one to wake up for is \`ForebayWritesLate\`.

| metric | kind | labels | what | told by |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(metricsPage, metricsPageText());
