#!/usr/bin/env node
import { writeFileSync } from 'node:fs';
import generatorHelper from '@prisma/generator-helper';

generatorHelper.generatorHandler({
  onManifest: () => ({ prettyName: 'forebay models', defaultOutput: './x' }),
  onGenerate: async (o) => {
    writeFileSync('/tmp/h2/options.json', JSON.stringify({ ...o, dmmf: o.dmmf.datamodel }, null, 1));
  },
});
