/** The documentation as a site. Its pages are those of the repository, links between them included: see dev/docs/pages.ts. */
import { defineConfig } from 'vitepress';
import { anchorOf, otherMarkdown, placeOf, root } from '../../dev/docs/pages.js';
import { asSitePages, copyLinkedFiles } from '../../dev/docs/site.js';
import { sidebar } from './sidebar.js';

export default defineConfig({
  title: 'forebay',
  description: 'A write-behind cache for TypeScript, Redis and Postgres',
  srcDir: root,
  srcExclude: otherMarkdown(),
  rewrites: placeOf,
  outDir: `${root}dist/site`,
  cacheDir: `${root}.data/vitepress`,
  cleanUrls: true,
  lastUpdated: false,
  markdown: { anchor: { slugify: anchorOf }, config: asSitePages },
  vite: { publicDir: false, server: { fs: { allow: [root] } } },
  buildEnd: ({ outDir }) => copyLinkedFiles(outDir),
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Patterns', link: '/patterns/' },
      { text: 'Operations', link: '/operations' },
      { text: 'Options', link: '/options' },
      { text: 'Compared', link: '/comparison' },
    ],
    sidebar,
  },
});
