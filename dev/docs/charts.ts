/** `npm run docs:charts`: draws docs/charts from bench/results. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './pages.js';

interface Bar {
  readonly label: string;
  readonly value: number;
  /** Ours. */
  readonly isOwn: boolean;
}

interface Chart {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** Of bench/results. */
  readonly bench: string;
  readonly unit: string;
}

interface Results<Run> {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly redis: string;
  };
  readonly runs: readonly Run[];
}

interface WriteRun {
  readonly contestant: string;
  readonly mode: string;
  readonly table: string;
  readonly workload: string;
  readonly persistedPerSecond: number;
}

interface ReadRun {
  readonly name: string;
  readonly redisPerSecond: number;
}

interface RefreshRun {
  readonly name: string;
  readonly p99Ms: number;
}

interface Site {
  readonly workers: number;
  readonly masters: number;
  /** Processor time of a write, in µs. */
  readonly micros: Readonly<Record<'app' | 'redis' | 'workers' | 'postgres', number>>;
}

interface ScaleResults {
  readonly sites: readonly Site[];
}

export const chartFolder = path.join(root, 'docs/charts');

/** The texts of the pictures by their names. */
export function charts(): ReadonlyMap<string, string> {
  return new Map([
    ['write-behind.svg', drawn(writeBehindChart())],
    ['read.svg', drawn(readChart())],
    ['refresh.svg', drawn(refreshChart())],
    ['scale.svg', drawn(scaleChart())],
  ]);
}

function writeBehindChart(): Chart {
  const runs = readResults<Results<WriteRun>>('write-behind').runs.filter(
    ({ table, workload }) => table === 'clients' && workload === 'distinct',
  );
  const best = (isOf: (run: WriteRun) => boolean): number =>
    Math.max(...runs.filter(isOf).map((run) => run.persistedPerSecond));
  return {
    title: 'Writes persisted per second, another row each time (5 columns)',
    unit: 'writes/s',
    bench: 'write-behind',
    bars: [
      { label: 'a job per write', value: best((run) => run.contestant === 'job per write'), isOwn: false },
      { label: 'forebay, put', value: best((run) => run.mode === 'put'), isOwn: true },
      { label: 'forebay, putMany', value: best((run) => run.mode.startsWith('putMany')), isOwn: true },
    ],
  };
}

function readChart(): Chart {
  return {
    title: 'Values of 300 bytes read from Redis per second, by one process',
    unit: 'values/s',
    bench: 'read',
    bars: readResults<Results<ReadRun>>('read').runs.map(({ name, redisPerSecond }) => ({
      label: name,
      value: redisPerSecond,
      isOwn: name === 'forebay',
    })),
  };
}

function refreshChart(): Chart {
  return {
    title: 'p99 of reads of values that take 200 ms to compute',
    unit: 'ms',
    bench: 'refresh',
    bars: readResults<Results<RefreshRun>>('refresh').runs.map(({ name, p99Ms }) => ({
      label: name,
      value: p99Ms,
      isOwn: name !== 'cache-aside by hand',
    })),
  };
}

function scaleChart(): Chart {
  const { sites } = readResults<ScaleResults>('scale');
  const { micros } = sites.find(({ workers, masters }) => workers * masters === 1) as Site;
  const bars = { app: 'an app', redis: 'Redis', workers: 'a write-behind worker', postgres: 'Postgres' };
  return {
    title: 'Writes a second that fill one core, by part (rows of 5 columns)',
    unit: 'writes/s',
    bench: 'scale',
    bars: Object.entries(bars).map(([part, label]) => ({
      label,
      value: 1_000_000 / micros[part as keyof typeof bars],
      isOwn: part === 'app' || part === 'workers',
    })),
  };
}

/** As the bench has written them. */
function readResults<T>(bench: string): T {
  return JSON.parse(readFileSync(path.join(root, `bench/results/${bench}.json`), 'utf8')) as T;
}

const width = 720;
const left = 210;
const right = 110;
const rowHeight = 30;
const top = 48;

function drawn({ title, bars, unit, bench }: Chart): string {
  const { cpu, cores, node, redis } = readResults<Results<unknown>>(bench).machine;
  const max = Math.max(...bars.map(({ value }) => value));
  const height = top + bars.length * rowHeight + 34;
  const rows = bars.map(({ label, value, isOwn }, row) => {
    const y = top + row * rowHeight;
    const length = Math.max(2, Math.round((value / max) * (width - left - right)));
    return `  <text x="${left - 10}" y="${y + 16}" text-anchor="end">${label}</text>
  <rect x="${left}" y="${y + 2}" width="${length}" height="20" rx="3" fill="${isOwn ? '#1f7a8c' : '#b8c4cc'}"/>
  <text x="${left + length + 8}" y="${y + 16}">${figure(value)} ${unit}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="13" fill="#22303a">
  <rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>
  <text x="20" y="28" font-size="15" font-weight="bold">${title}</text>
${rows.join('\n')}
  <text x="20" y="${height - 12}" font-size="11" fill="#5c6b75">npm run bench -- ${bench}, on ${cpu}, ${cores} cores for everything, Node ${node}, Redis ${redis}</text>
</svg>
`;
}

function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : 0 });
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(chartFolder, { recursive: true });
  for (const [name, text] of charts()) writeFileSync(path.join(chartFolder, name), text);
}
