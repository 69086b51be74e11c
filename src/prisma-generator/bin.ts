#!/usr/bin/env node
/** forebay's Prisma generator: writes the typed module of models that record stores are defined with. */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import generatorHelper, { type GeneratorOptions } from '@prisma/generator-helper';
import { moduleText } from './module-text.js';
import { settingsOf } from './settings.js';

generatorHelper.generatorHandler({
  onManifest: () => ({ prettyName: 'forebay models' }),
  onGenerate: generate,
});

async function generate({ generator, datasources, dmmf }: GeneratorOptions): Promise<void> {
  const settings = settingsOf(generator, datasources);
  await mkdir(dirname(settings.file), { recursive: true });
  await writeFile(settings.file, moduleText(dmmf.datamodel, settings.runtime));
}
