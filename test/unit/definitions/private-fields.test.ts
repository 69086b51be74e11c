/** Private fields are in nothing that is shown or logged. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Project } from '../../../examples/platform/generated/models.js';
import { jsonOf, shownMessage, shownRecord } from '../../../src/definitions/private-fields.js';
import { record } from '../../../src/definitions/record.js';
import { defineStores } from '../../../src/definitions/stores.js';

const store = { privateFields: new Set(['email']) };

describe('a record', () => {
  it.each([
    ['P17|abc{"id":"1","email":"a@b.c"}', 'P17|abc{"id":"1","email":"•••"}'],
    ['P17|abc;!createdAt{"id":"1","email":"a@b.c"}', 'P17|abc;!createdAt{"id":"1","email":"•••"}'],
    ['R17|{"email":{"deep":"a@b.c"}}', 'R17|{"email":"•••"}'],
    ['P17|abc;+name^{"id":"1","email":"a"\n\n,"email":"b"\n}', 'P17|abc;+name^{"id":"1","email":"•••"}'],
    ['D17|', 'D17|'],
    ['-5', '-5'],
  ])('%j is shown as %j', (text, shown) => {
    expect(shownRecord(text, store)).toBe(shown);
    expect(shownRecord(text, { privateFields: new Set<string>() })).toBe(text);
  });

  it('never shows a private value, whatever it is', () => {
    fc.assert(
      fc.property(fc.json(), (value) => {
        const shown = shownRecord(`P1|x{"id":"1","email":${value}}`, store);
        expect(JSON.parse(jsonOf(shown) ?? '')).toEqual({ id: '1', email: '•••' });
      }),
    );
  });
});

describe('what the database says', () => {
  const json = '{"id":"1","email":"a@b.example","age":42,"tags":["secret one"]}';
  it.each([
    [
      'duplicate key value violates "users_email_key" (Key (email)=(a@b.example) already exists.)',
      'duplicate key value violates "users_email_key"',
    ],
    [
      'violates check constraint "own" (Failing row contains (1, a@b.example, (x), null).)',
      'violates check constraint "own"',
    ],
    ['invalid input syntax for type uuid: "a@b.example"', 'invalid input syntax for type uuid: "•••"'],
    ['thrown by a persist: {"tags":["secret one"]}', 'thrown by a persist: {"tags":•••}'],
    ['value too long for type character varying(5)', 'value too long for type character varying(5)'],
  ])('%j is shown as %j', (message, shown) => {
    expect(shownMessage(message, [json], { privateFields: new Set(['email', 'tags']) })).toBe(shown);
    expect(shownMessage(message, [json], { privateFields: new Set<string>() })).toBe(message);
  });
});

it('a private field that the model does not have is a mistake', () => {
  const make = () => defineStores({ projects: record({ model: Project, private: ['nmae'] }) });
  expect(make).toThrow('"nmae" can\'t be private');
});
