/** What a `generator` block of forebay's in a Prisma schema may say. */

import { join } from 'node:path';
import type { DataSource, GeneratorConfig } from '@prisma/generator-helper';
import { ForebayError } from '../errors.js';

export interface GeneratorSettings {
  /** The module to write. */
  readonly file: string;
  /** Where the module imports forebay's types from. Default `forebay`. */
  readonly runtime: string;
}

/**
 * `output` is required: a `.ts` file, or the folder to write `models.ts` into.
 *
 * @throws ForebayError INVALID_CONFIG for an option that is missing or unknown, or another database than
 * Postgres
 */
export function settingsOf(
  generator: GeneratorConfig,
  datasources: readonly DataSource[],
): GeneratorSettings {
  const { runtime = 'forebay', ...unknown } = generator.config;
  const output = generator.output?.value;
  if (!output) throw invalid(generator, 'has no output; add e.g. output = "../src/generated/models.ts"');
  if (typeof runtime !== 'string') throw invalid(generator, 'has a runtime that is no string');
  const [name] = Object.keys(unknown);
  if (name)
    throw invalid(generator, `has an unknown option "${name}"; it takes provider, output and runtime`);
  const other = datasources.find(({ activeProvider }) => activeProvider !== 'postgresql');
  if (other)
    throw invalid(generator, `writes to Postgres only, and datasource ${other.name} is ${other.provider}`);
  return { file: /\.[mc]?ts$/.test(output) ? output : join(output, 'models.ts'), runtime };
}

function invalid(generator: GeneratorConfig, what: string): ForebayError {
  return new ForebayError(
    'INVALID_CONFIG',
    `Generator ${generator.name} in ${generator.sourceFilePath} ${what}.`,
    {
      context: { generator: generator.name, file: generator.sourceFilePath },
    },
  );
}
