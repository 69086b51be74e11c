/** The few files that the pages load: as they are, from beside this module. */
import { readFileSync } from 'node:fs';

export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly content: string;
}

const types = {
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'logo.svg': 'image/svg+xml',
} as const;

export function readAssets(): Asset[] {
  return Object.entries(types).map(([name, type]) => ({
    path: `/assets/${name}`,
    type,
    content: readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8'),
  }));
}
