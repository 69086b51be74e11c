/**
 * Whether definitions have the shape that their types say: of models that a circular import has left
 * undefined, of options that are mistyped in JavaScript. What else is wrong is looked for in those that have.
 */
import { quoted } from '../given.js';
import type { ComputedDefinition } from './computed.js';
import type { CounterDefinition } from './counter.js';
import type { RecordDefinition } from './record.js';

type Check = readonly [name: string, isRight: boolean, expected: string, given: unknown];

/** In words. */
export function shapeProblems(name: string, definition: unknown): string[] {
  const { kind, options } = (definition ?? {}) as { kind?: unknown; options?: unknown };
  if (!isObject(options) || (kind !== 'record' && kind !== 'counter' && kind !== 'computed'))
    return [`${name}: it must be made by record, counter, computed or writer; it is ${quoted(definition)}.`];
  const checks =
    kind === 'computed'
      ? computedChecks((definition as ComputedDefinition).options)
      : sourceChecks(definition as RecordDefinition | CounterDefinition);
  return [
    ...checks.flatMap(([option, isRight, expected, given]) =>
      isRight ? [] : [`${name}: ${option} must be ${expected}, not ${quoted(given)}.`],
    ),
    ...(kind === 'computed' ? unknownOptions(name, options) : []),
  ];
}

function sourceChecks({ source }: RecordDefinition | CounterDefinition): Check[] {
  const facts = source as unknown as Readonly<Record<string, unknown>>;
  const checks: Check[] = [
    ...aFunction(facts, source.kind === 'custom' ? ['load', 'persist'] : []),
    ...aList(facts, ['counters', 'private']),
    anObject(facts, 'renamed'),
  ];
  if (source.kind === 'model') checks.push(aModel(source.model));
  if (source.kind === 'custom' && 'id' in source)
    checks.push(['id', typeof source.id === 'string' && source.id !== '', 'the name of a field', source.id]);
  return checks;
}

function aModel(model: unknown): Check {
  const { fields, id } = (model ?? {}) as { fields?: unknown; id?: unknown };
  const isRight = isObject(fields) && Array.isArray(id);
  return ['model', isRight, "one that forebay's generator wrote (is its import circular?)", model];
}

const computedNames: Readonly<Record<string, readonly string[]>> = {
  '': ['key', 'ttlMs', 'graceMs', 'loadTimeoutMs', 'tags', 'dependsOn', 'idsOf', 'refresh', 'warm', 'load'],
  refresh: ['when', 'concurrency'],
  warm: ['list', 'max', 'pageIdsMax', 'ttlMs', 'loadShare', 'halfLifeMs'],
};

function computedChecks(options: ComputedDefinition['options']): Check[] {
  const facts = options as unknown as Readonly<Record<string, unknown>>;
  const list = options.warm?.list;
  return [
    ...aFunction(facts, ['key', 'load', ...(options.idsOf === undefined ? [] : ['idsOf'])]),
    ...aList(facts, ['tags', 'dependsOn']),
    anObject(facts, 'refresh'),
    anObject(facts, 'warm'),
    [
      'warm.list',
      options.warm === undefined || list === 'hottest' || typeof list === 'function',
      "'hottest' or a function",
      list,
    ],
  ];
}

/** Of a record or counter, those are told with their bounds. */
function unknownOptions(name: string, options: object): string[] {
  return Object.entries(computedNames).flatMap(([group, known]) => {
    const given = group === '' ? options : (options as Readonly<Record<string, unknown>>)[group];
    if (!isObject(given)) return [];
    const unknown = Object.keys(given).filter((one) => !known.includes(one));
    return unknown.map((one) => `${name}: there is no option "${group === '' ? one : `${group}.${one}`}".`);
  });
}

function aFunction(facts: Readonly<Record<string, unknown>>, names: readonly string[]): Check[] {
  return names.map((name) => [name, typeof facts[name] === 'function', 'a function', facts[name]]);
}

function aList(facts: Readonly<Record<string, unknown>>, names: readonly string[]): Check[] {
  return names.map((name) => [
    name,
    facts[name] === undefined || Array.isArray(facts[name]),
    'an array',
    facts[name],
  ]);
}

function anObject(facts: Readonly<Record<string, unknown>>, name: string): Check {
  return [name, facts[name] === undefined || isObject(facts[name]), 'an object', facts[name]];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
