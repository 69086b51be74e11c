/** The layers of docs/architecture.md: imports point one way, and each outside thing is known in its own places only. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const source = path.resolve(import.meta.dirname, '../../src');

/** From the lowest to the highest: each may import what stands before it. */
const ranks = [
  'errors',
  'given',
  'peers',
  'pause',
  'trace',
  'hash-slot',
  'keys',
  'variables',
  'redis-settings',
  'health-place',
  'config',
  'cache-statistics',
  'events',
  'listeners',
  'repeats',
  'logger',
  'event-log',
  'warning-log',
  'definitions',
  'connection',
  'resources',
  'vitals',
  'queues',
  'buffer',
  'database',
  'audit',
  'cache',
  'client',
  'shared',
  'patterns',
  'health',
  'tracing',
  'app',
  'metrics',
  'prisma-extension',
  'index',
  'neighbours',
  'keyv',
  'unstorage',
  'fastify',
  'hono',
  'next',
  'nest',
  'services',
  'operations',
  'board',
  'cli',
  'worker',
  'testing',
  'prisma-generator',
];

/** Who may know what comes from outside. */
const places: Readonly<Record<string, readonly string[]>> = {
  ioredis: ['connection'],
  bullmq: ['peers', 'queues', 'services', 'operations', 'board', 'cli'],
  'process.env': ['config'],
  pino: ['peers', 'logger'],
  'node-cron': ['peers', 'services'],
  'prom-client': ['peers', 'metrics'],
  '@opentelemetry/api': ['tracing'],
  pg: ['connection'],
  keyv: ['keyv'],
  unstorage: ['unstorage'],
  fastify: ['fastify'],
  '@nestjs/common': ['nest'],
};

/** Roles of workers meet in Redis, in Postgres or in a queue; `role` is the mould of all. */
const mould = 'services/role';

interface SourceFile {
  readonly name: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const names = readdirSync(source, { recursive: true }) as string[];
const files = names
  .filter((name) => name.endsWith('.ts'))
  .map((name): SourceFile => {
    const text = readFileSync(path.join(source, name), 'utf8');
    const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
      (match) => match[1] as string,
    );
    return { name, text, imports };
  });

const layerOf = (name: string): string => (name.split('/')[0] as string).replace(/\.[tj]s$/, '');
const rankOf = (name: string): number => ranks.indexOf(layerOf(name));
const isRelative = (specifier: string): boolean => specifier.startsWith('.');
const targetOf = ({ name }: SourceFile, specifier: string): string =>
  path.posix.normalize(path.posix.join(path.posix.dirname(name), specifier));

describe('the source', () => {
  it('has a rank for each of its folders and files, and no rank for what is gone', () => {
    expect([...new Set(files.map(({ name }) => layerOf(name)))].sort()).toEqual([...ranks].sort());
  });

  it('has no file of more than 340 lines', () => {
    const linesOf = (name: string) => readFileSync(path.join(source, name), 'utf8').split('\n').length - 1;
    const written = names.filter((name) => /\.(ts|lua|sql)$/.test(name));
    expect(written.filter((name) => linesOf(name) > 340)).toEqual([]);
  });

  it('imports nothing from outside of it but packages', () => {
    const outside = files.flatMap((file) =>
      file.imports.filter((one) => isRelative(one) && targetOf(file, one).startsWith('..')),
    );
    expect(outside).toEqual([]);
  });

  it('imports only from its own layer and from lower ones', () => {
    const upward = files.flatMap((file) =>
      file.imports
        .filter((one) => isRelative(one) && rankOf(targetOf(file, one)) > rankOf(file.name))
        .map((one) => `${file.name} imports ${targetOf(file, one)}`),
    );
    expect(upward).toEqual([]);
  });

  it('has no role of a worker that imports from another', () => {
    const roleOf = (name: string): string => name.split('/').slice(0, 2).join('/');
    const crossing = files
      .filter(({ name }) => layerOf(name) === 'services')
      .flatMap((file) =>
        file.imports
          .filter(isRelative)
          .map((one) => targetOf(file, one))
          .filter((target) => layerOf(target) === 'services')
          .filter((target) => ![mould, roleOf(file.name)].includes(roleOf(target)))
          .map((target) => `${file.name} imports ${target}`),
      );
    expect(crossing).toEqual([]);
  });

  it('loads what only a part of it needs through `peers` alone, where one that is missing is told', () => {
    const { peerDependenciesMeta } = JSON.parse(
      readFileSync(path.join(source, '../package.json'), 'utf8'),
    ) as {
      peerDependenciesMeta: object;
    };
    const loads = new RegExp(
      `^(?:import|export) (?!type ).*from '(?:${Object.keys(peerDependenciesMeta).join('|')})[/']`,
      'm',
    );
    const loading = files.filter(({ name, text }) => !name.startsWith('peers/') && loads.test(text));
    expect(loading.map(({ name }) => name)).toEqual(['tracing.ts']);
  });

  it.each(Object.entries(places))('knows %s only in %s', (what, layers) => {
    const knows = ({ text, imports }: SourceFile): boolean =>
      what === 'process.env' ? text.includes(what) : imports.includes(what);
    const strangers = files.filter((file) => knows(file) && !layers.includes(layerOf(file.name)));
    expect(strangers.map(({ name }) => name)).toEqual([]);
  });
});
