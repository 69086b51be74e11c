/** Definitions that have not the shape of their types: from JavaScript, or of imports that are circular. */
import { expect, it } from 'vitest';
import { cacheKey, cacheKeys } from '../../../src/definitions/cache-key.js';
import { computed } from '../../../src/definitions/computed.js';
import { counter } from '../../../src/definitions/counter.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores } from '../../../src/definitions/stores.js';
import { writer } from '../../../src/definitions/writer.js';
import { field, modelOf } from './models.js';

const Keys = cacheKeys('shapes', { page: cacheKey<string>(60) });
const Page = modelOf<object, object, string>({ id: field('String') }, { name: 'Page' });
const load = async () => new Map<string, string>();
const page = (options: object) => computed({ key: Keys.page, load, ...options });
const own = (options: object) =>
  record({ id: 'id', load: async () => [], persist: async () => undefined, ...options } as never);

const odd: Record<string, () => unknown> = {
  'a model that is undefined': () => record({ model: undefined as never }),
  'a model that is a name': () => record({ model: 'Page' as never }),
  'counters that are no list': () => record({ model: Page, counters: 'views' as never }),
  'private fields that are no list': () => record({ model: Page, private: 'email' as never }),
  'a load of one’s own that is missing': () => own({ load: undefined }),
  'a persist of one’s own that is none': () => own({ persist: {} }),
  'an id that is no name': () => own({ id: 7 }),
  'a counter without a load': () => counter({ persist: async () => undefined } as never),
  'a counter of a model that is undefined': () => counter({ model: undefined, field: 'views' } as never),
  'a computed store without options': () => computed(undefined as never),
  'a key that is a text': () => page({ key: 'page' }),
  'a load that is missing': () => page({ load: undefined }),
  'tags that are a text': () => page({ tags: 'page' }),
  'an option that is mistyped': () => page({ graceMS: 1 }),
  'a refresh that is true': () => page({ refresh: true }),
  'an option of refresh that is mistyped': () => page({ refresh: { share: 0.5 } }),
  'a warm that is a number': () => page({ warm: 5 }),
  'a warm without a list': () => page({ warm: {} }),
  'dependsOn without brackets': () => page({ dependsOn: record({ model: Page }) }),
  'an idsOf that is none': () => page({ idsOf: 'all' }),
  'a model in place of a store': () => Page,
  nothing: () => undefined,
};

it.each(Object.entries(odd))('is refused, and named: %s', (_, make) => {
  const refused = { code: 'INVALID_DEFINITION', message: expect.stringContaining('\n- store: ') };
  expect(() => defineStores({ store: make() } as never)).toThrow(expect.objectContaining(refused));
});

it.each([
  ['stores', () => defineStores(undefined as never)],
  ['a record', () => record(undefined as never)],
  ['a counter', () => counter(null as never)],
  ['a writer', () => writer(undefined as never)],
  ['keys', () => cacheKeys('shapes-of-none', undefined as never)],
  ['keys that live for ever', () => cacheKeys('shapes-for-ever', { a: cacheKey(Number.POSITIVE_INFINITY) })],
])('%s of nothing have a code too', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ name: 'ForebayError' }));
});

it('what is given as undefined counts as left out', () => {
  const options = { refresh: { when: undefined }, warm: { list: 'hottest', max: undefined } };
  const { computed } = defineStores({ pages: page(options) });
  expect(computed.get('pages')).toMatchObject({ refreshWhen: 0.8, warm: { max: 1_000 } });
});
