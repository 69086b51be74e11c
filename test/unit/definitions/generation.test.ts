import { expect, it } from 'vitest';
import { generationOf } from '../../../src/definitions/generation.js';
import type { Model } from '../../../src/definitions/model.js';
import { modelOf } from './models.js';

function modelsOf(parents: Record<string, string[]>): Map<string, Model> {
  const entries = Object.entries(parents).map(([name, of]): [string, Model] => [
    name,
    { ...modelOf({}), name, parents: of },
  ]);
  return new Map(entries);
}

it.each([
  ['without parents', { a: [] }, 0],
  ['whose parents have no store', { a: ['x'] }, 0],
  ['with a parent', { a: ['b'], b: [] }, 1],
  ['with grandparents: the longest way counts', { a: ['b', 'c'], b: ['c'], c: [] }, 2],
  ['in a circle', { a: ['b'], b: ['a'] }, 1],
])('the generation of a model %s', (_, parents, expected) => {
  const models = modelsOf(parents as Record<string, string[]>);
  expect(generationOf(models.get('a') as Model, models)).toBe(expected);
});
