/** An app's definitions, for commands that look at tables or records. */
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
  const found = Object.values(loaded).find(isStores);
  if (found === undefined)
    throw new UsageError(`${file} exports no stores: give a module that exports what defineStores gave.`);
  return found;
}

async function load(file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path.resolve(file)).href)) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`${file} can't be loaded: ${messageOf(error)}`);
  }
}

/** Also of another copy of forebay than this one. */
function isStores(value: unknown): value is Stores {
  const { byName, groups } = (value ?? {}) as Partial<Stores>;
  return byName instanceof Map && Array.isArray(groups);
}
