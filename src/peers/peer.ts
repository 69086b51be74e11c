/**
 * Packages that only a part of forebay needs: an app that reads and writes does without them. Each is loaded
 * where its part is, and one that is not installed is told by name, with the line that installs it.
 */
import { createRequire } from 'node:module';
import { ForebayError } from '../errors.js';

const require = createRequire(import.meta.url);

/** What each part needs, beside what forebay always brings. Their versions are in package.json. */
const parts = {
  'Whatever works with the queues (workers, the board, most commands)': [
    'bullmq',
    'node-cron',
    'pino',
    'zod',
  ],
  'The board': ['@bull-board/api', '@bull-board/hono', '@bull-board/ui', '@hono/node-server', 'hono'],
  '`forebay/metrics`': ['prom-client'],
} as const satisfies Record<string, readonly string[]>;

/** What workers and the board need: what `forebay init` has installed. */
export const workerPeers: readonly string[] = Object.values(parts)
  .flat()
  .filter((name) => name !== 'prom-client');

/** @throws ForebayError PEER_MISSING, with all that its part lacks */
export function peer<Module>(specifier: string): Module {
  const name = packageOf(specifier);
  if (!isInstalled(name)) throw missing(name);
  return require(specifier) as Module;
}

/** `npm install` of these, in the versions that forebay works with. */
export function installLine(names: readonly string[]): string {
  const { peerDependencies } = require('forebay/package.json') as {
    peerDependencies: Record<string, string>;
  };
  const ranges = names.map((name) => (name in peerDependencies ? `${name}@${peerDependencies[name]}` : name));
  return `npm install ${ranges.join(' ')}`;
}

function missing(name: string): ForebayError {
  const [part, names] = Object.entries<readonly string[]>(parts).find(([, all]) => all.includes(name)) ?? [
    'This part of forebay',
    [name],
  ];
  const absent = names.filter((one) => !isInstalled(one));
  const install = installLine(absent);
  return new ForebayError('PEER_MISSING', `${part} needs ${absent.join(', ')}. Run: ${install}`, {
    context: { packages: absent, install },
  });
}

/** Not every package can be required as a whole; each has a package.json, though it may keep it to itself. */
function isInstalled(name: string): boolean {
  return [name, `${name}/package.json`].some((specifier) => {
    try {
      require.resolve(specifier);
      return true;
    } catch {
      return false;
    }
  });
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
