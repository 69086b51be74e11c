/** An app's definitions, for commands that look at tables or records. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from '../config.js';
import type { Stores } from '../definitions/stores.js';
import { messageOf } from '../errors.js';
import { type Call, UsageError } from './command.js';

/** Of `--stores`, else of the environment; undefined without a file. @throws UsageError */
export async function storesOf(call: Call, { storesFile }: Config): Promise<Stores | undefined> {
  const file = call.valueOf('stores') ?? storesFile;
  if (file === undefined) return undefined;
  const loaded = await load(file);
  // Node gives what a module of CommonJS exports as its default.
  const found = [...Object.values(loaded), ...Object.values(loaded.default ?? {})].find(isStores);
  if (found === undefined)
    throw new UsageError(`${file} exports no stores: give a module that exports what defineStores gave.`);
  return found;
}

async function load(file: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(path.resolve(file)).href;
  try {
    return await imported(url).catch((error) => byTsx(url, error));
  } catch (error) {
    throw new UsageError(`${file} can't be loaded: ${messageOf(error)}`);
  }
}

const imported = (url: string): Promise<Record<string, unknown>> => import(url);

/** TypeScript that Node does not read by itself: with the tsx that the project's workers are started with. */
async function byTsx(url: string, error: unknown): Promise<Record<string, unknown>> {
  const tsx = /\.[cm]?ts$/.test(url) ? tsxBeside(url) : undefined;
  if (tsx === undefined) throw error;
  await import(pathToFileURL(tsx).href);
  // Node remembers by its URL that a file could not be loaded.
  return imported(`${url}?by=tsx`);
}

function tsxBeside(url: string): string | undefined {
  try {
    return createRequire(url).resolve('tsx');
  } catch {
    return undefined; // Then what Node says of the file is what there is to say.
  }
}

/** Also of another copy of forebay than this one. */
function isStores(value: unknown): value is Stores {
  const { byName, groups } = (value ?? {}) as Partial<Stores>;
  return byName instanceof Map && Array.isArray(groups);
}
