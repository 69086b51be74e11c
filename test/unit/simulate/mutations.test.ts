/** Each mutation of the simulator is one of the source as it stands. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mutations } from '../../../simulate/mutations.js';

const root = new URL('../../../', import.meta.url);

it.each(mutations)('$name', ({ file, find }) => {
  const parts = readFileSync(new URL(file, root), 'utf8').split(find);
  expect(parts.length - 1, `"${find}" stands once in ${file}`).toBe(1);
});
