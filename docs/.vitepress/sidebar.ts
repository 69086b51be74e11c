/** The order in which the pages are read. A test holds that every page is in it once. */
import path from 'node:path';
import { pageFiles } from '../../dev/docs/pages.js';

export interface Group {
  readonly text: string;
  readonly collapsed?: boolean;
  readonly items: { readonly text: string; readonly link: string }[];
}

export const sidebar: Group[] = [
  {
    text: 'Begin',
    items: [
      { text: 'Five minutes to the first write', link: '/start' },
      { text: 'Concepts', link: '/concepts' },
      { text: 'Configuration', link: '/configuration' },
      { text: 'The package', link: '/package' },
    ],
  },
  {
    text: 'Write and read',
    items: [
      { text: 'Verbs and columns', link: '/rows' },
      { text: 'Records that belong together', link: '/aggregates' },
      { text: 'Values ready before they are missed', link: '/warming' },
      { text: 'The Prisma extension', link: '/prisma-extension' },
      { text: 'Other writers', link: '/changes' },
      { text: 'Testing', link: '/testing' },
      { text: 'Neighbours', link: '/neighbours' },
      { text: 'Examples', link: '/examples/' },
    ],
  },
  {
    text: 'Patterns',
    collapsed: true,
    items: [
      { text: 'All nine', link: '/patterns/' },
      { text: 'Cache-aside', link: '/patterns/cache-aside' },
      { text: 'Stale while revalidate', link: '/patterns/cache-aside-stale' },
      { text: 'Write-through', link: '/patterns/write-through' },
      { text: 'Write-behind', link: '/patterns/write-behind' },
      { text: 'Refresh-ahead', link: '/patterns/refresh-ahead' },
      { text: 'Batches', link: '/patterns/batch-cache-aside' },
      { text: 'No stampede', link: '/patterns/prevent-stampede' },
      { text: 'Memory and Redis', link: '/patterns/multi-tier-cache' },
      { text: 'Invalidation', link: '/patterns/invalidate-related' },
    ],
  },
  {
    text: 'Run it',
    items: [
      { text: 'Operations', link: '/operations' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'Scale', link: '/scale' },
      { text: 'Deploys', link: '/deploys' },
      { text: 'The board', link: '/board' },
      { text: 'Metrics', link: '/metrics' },
      { text: 'Upgrades', link: '/upgrading' },
    ],
  },
  {
    text: 'Look up',
    items: [
      { text: 'Options', link: '/options' },
      { text: 'Errors', link: '/errors' },
      { text: 'The command line', link: '/command-line' },
      { text: 'Glossary', link: '/glossary' },
    ],
  },
  {
    text: 'Reference',
    collapsed: true,
    items: pageFiles()
      .filter((file) => file.startsWith('docs/reference/'))
      .map((file) => path.basename(file, '.md'))
      .map((name) => ({ text: name === 'forebay' ? name : `forebay/${name}`, link: `/reference/${name}` })),
  },
  {
    text: 'Is it for me?',
    items: [
      { text: 'Compared with others', link: '/comparison' },
      { text: 'Coming from another library', link: '/migrating' },
      { text: 'Benchmarks', link: '/bench' },
    ],
  },
  {
    text: 'How it is made',
    collapsed: true,
    items: [
      { text: 'Guarantees', link: '/guarantees' },
      { text: 'Architecture', link: '/architecture' },
      { text: 'Decisions', link: '/decisions' },
      { text: 'Protocol: writes', link: '/protocol/buffer' },
      { text: 'Protocol: the cache', link: '/protocol/cache' },
      { text: 'Verification', link: '/verification' },
      { text: 'Contributing', link: '/contributing' },
      { text: 'Changelog', link: '/changelog' },
    ],
  },
];
