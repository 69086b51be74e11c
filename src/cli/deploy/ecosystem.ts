/** A pm2 ecosystem file: which apps a build has, and how many processes each is to have. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ForebayError, messageOf } from '../../errors.js';
import { z } from '../../peers/zod.js';

export interface DeployApp {
  readonly name: string;
  readonly instances: number;
  /** Whether its processes say themselves that they are ready; of others it is enough that they stay. */
  readonly saysReady: boolean;
  /** For pm2: what the file says, for one process, with its folder. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const appShape = z.looseObject({
  name: z.string().min(1),
  script: z.string().min(1),
  cwd: z.string().optional(),
  instances: z.union([z.number().int(), z.literal('max')]).optional(),
  wait_ready: z.boolean().optional(),
});
const fileShape = z.object({ apps: z.array(appShape).min(1) });

/** The file of this folder that pm2 would take; the first of its names where there is none. */
export function usualEcosystem(): string {
  const names = ['ecosystem.config.js', 'ecosystem.config.cjs', 'ecosystem.config.mjs', 'forebay.config.cjs'];
  return names.find((name) => existsSync(name)) ?? (names[0] as string);
}

/** Paths in it are from its own folder. @throws ForebayError DEPLOY_REFUSED when it can't be used */
export async function readEcosystem(file: string): Promise<DeployApp[]> {
  const place = path.resolve(file);
  const parsed = fileShape.safeParse(await load(place));
  if (!parsed.success) throw unusable(place, z.prettifyError(parsed.error));
  return parsed.data.apps.map(({ instances, ...app }) => ({
    name: app.name,
    instances: countOf(instances ?? 1),
    saysReady: app.wait_ready ?? false,
    settings: { ...app, instances: 1, cwd: path.resolve(path.dirname(place), app.cwd ?? '.') },
  }));
}

async function load(place: string): Promise<unknown> {
  try {
    if (place.endsWith('.json')) return JSON.parse(await readFile(place, 'utf8'));
    const module = (await import(pathToFileURL(place).href)) as { apps?: unknown; default?: unknown };
    return module.apps === undefined ? module.default : { apps: module.apps };
  } catch (error) {
    throw unusable(place, messageOf(error), error);
  }
}

/** As pm2 counts: 0 and 'max' are one for each processor, a negative number is so many less. */
function countOf(instances: number | 'max'): number {
  const processors = os.availableParallelism();
  if (instances === 'max' || instances === 0) return processors;
  return instances > 0 ? instances : Math.max(1, processors + instances);
}

function unusable(place: string, why: string, cause?: unknown): ForebayError {
  return new ForebayError('DEPLOY_REFUSED', `The ecosystem file ${place} can't be used: ${why}`, { cause });
}
