/** What is wrong with the definitions of stores that are written: every problem, in words. */
import { ForebayError } from '../errors.js';
import { quoted } from '../given.js';
import { reservedStoreNames } from '../keys.js';
import type { ComputedDefinition } from './computed.js';
import type { CounterDefinition } from './counter.js';
import type { Model } from './model.js';
import type { ModelSource, RecordDefinition } from './record.js';

/** Those that are written, and so have lanes. */
export type WrittenDefinitions = Readonly<Record<string, RecordDefinition | CounterDefinition>>;

/** @throws ForebayError INVALID_DEFINITION with all of them */
export function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new ForebayError(
    'INVALID_DEFINITION',
    `The stores' definitions can't be used:\n- ${problems.join('\n- ')}`,
  );
}

/** Of a store's name, of any kind. */
export function nameProblems(name: string): string[] {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) {
    return [`"${name}" can't be a store's name: use 1 to 64 letters, digits, "_" and "-", a letter first.`];
  }
  return reservedStoreNames.includes(name)
    ? [`"${name}" is a name that forebay needs itself; choose another.`]
    : [];
}

/** Of all of them: their options, what they are made of, and what they share. */
export function writtenProblems(written: WrittenDefinitions): string[] {
  const own = Object.entries(written).flatMap(([name, definition]) => [
    ...optionProblems(name, definition),
    ...sourceProblems(name, definition, written),
  ]);
  return [...own, ...sharedModelProblems(written)];
}

/** Of what a computed store's values are made of. */
export function dependsProblems(
  name: string,
  { options: { dependsOn = [], idsOf } }: ComputedDefinition,
  written: WrittenDefinitions,
): string[] {
  const known = new Set(Object.values(written));
  const problems = dependsOn.flatMap((one) =>
    known.has(one) && one.source.kind === 'model'
      ? []
      : [`${name}: dependsOn must name record stores of models that are among these definitions.`],
  );
  if (idsOf && dependsOn.length === 0) problems.push(`${name}: idsOf is of use with dependsOn only.`);
  return problems;
}

/** Bounds keep one Lua call short: Redis serves nobody else while it runs. */
export const optionBounds = {
  ttlMs: [1, 31_536_000_000],
  partitions: [1, 1_024],
  delayMs: [0, 60_000],
  minDelayMs: [0, 60_000],
  batchRecordsMax: [1, 5_000],
  dirtyMax: [1, 10_000_000],
  dirtyBytesMax: [1, 1_099_511_627_776],
  onFullWaitMs: [1, 600_000],
  deadLettersMax: [1, 1_000_000],
  parentWaitMs: [0, 3_600_000],
  valueBytesMax: [1, 16_777_216],
} as const;
const boundsByName: Readonly<Record<string, readonly [number, number]>> = optionBounds;

/** What a single write may choose too. */
export const writeChoices = {
  onFull: ['reject', 'wait'],
  durability: ['memory', 'replicated', 'fsynced', 'database'],
};

const optionChoices: Record<string, readonly unknown[]> = {
  ...writeChoices,
  cacheOnWrite: [false, true],
  onRedisAway: ['reject', 'load'],
};

function choiceProblems(name: string, option: string, choices: readonly unknown[], value: unknown): string[] {
  if (value === undefined || choices.includes(value)) return [];
  return [`${name}: ${option} must be one of ${choices.join(', ')}, not ${String(value)}.`];
}

function tenantProblems(name: string, value: unknown): string[] {
  if (value === undefined || typeof value === 'function') return [];
  return [`${name}: tenant must be a function of the id, not ${String(value)}.`];
}

function optionProblems(name: string, definition: RecordDefinition | CounterDefinition): string[] {
  return Object.entries(definition.options).flatMap(([option, value]) => {
    if (option === 'tenant') return tenantProblems(name, value);
    const choices = optionChoices[option];
    if (choices) return choiceProblems(name, option, choices, value);
    const bounds = boundsByName[option];
    if (!bounds) return [`${name}: there is no option "${option}".`];
    if (value === undefined) return [];
    const [min, max] = bounds;
    const isValid = Number.isInteger(value) && value >= min && value <= max;
    return isValid
      ? []
      : [`${name}: ${option} must be an integer from ${min} to ${max}, not ${quoted(value)}.`];
  });
}

function sourceProblems(
  name: string,
  definition: RecordDefinition | CounterDefinition,
  all: WrittenDefinitions,
): string[] {
  if (definition.kind === 'record') return recordProblems(name, definition, all);
  const { source } = definition;
  if (source.kind === 'custom') return [];
  if (source.kind === 'model') return counterFieldProblems(name, source.model, source.field);
  const { of, field } = source;
  if (!Object.values(all).includes(of))
    return [`${name}: the record store that it counts for is not among the stores.`];
  if (of.source.kind !== 'model') return [`${name}: only record stores of a model can have counters.`];
  if (!of.source.counters.includes(field)) {
    return [
      `${name}: "${field}" is not among its record store's counters; add it there, so that puts leave it alone.`,
    ];
  }
  const twin = Object.entries(all).find(([otherName, other]) => isTwin(name, definition, otherName, other));
  return twin ? [`${name}: store "${twin[0]}" counts the same field.`] : [];
}

function isTwin(
  name: string,
  definition: CounterDefinition,
  otherName: string,
  other: RecordDefinition | CounterDefinition,
): boolean {
  if (otherName >= name || other.kind !== 'counter') return false;
  const [a, b] = [definition.source, other.source];
  return a.kind === 'record' && b.kind === 'record' && a.of === b.of && a.field === b.field;
}

function recordProblems(name: string, definition: RecordDefinition, all: WrittenDefinitions): string[] {
  const { source } = definition;
  if (source.kind === 'custom') return [];
  const problems = source.counters.flatMap((field) => counterFieldProblems(name, source.model, field));
  return [
    ...problems,
    ...versionFieldProblems(name, source),
    ...renamedProblems(name, source),
    ...privateProblems(name, source),
    ...partitionProblems(name, definition, all),
  ];
}

/** What a store says whose lanes are its own. */
const ownOptions = new Set(['ttlMs', 'onRedisAway', 'cacheOnWrite', 'valueBytesMax']);

function partitionProblems(name: string, definition: RecordDefinition, all: WrittenDefinitions): string[] {
  const { partitionBy, model } = definition.source as ModelSource;
  if (partitionBy === undefined) return [];
  const { field, of } = partitionBy;
  const root = Object.entries(all).find(([, other]) => other === of)?.[0];
  if (root === undefined)
    return [`${name}: the record store that it is partitioned by is not among the stores.`];
  if (of.source.kind !== 'model' || of.source.partitionBy)
    return [
      `${name}: it can't be partitioned by ${root}; that takes a record store of a model with lanes of its own.`,
    ];
  const foreign = Object.entries(definition.options).filter(
    ([option, value]) => value !== undefined && !ownOptions.has(option),
  );
  return [
    ...partitionIdProblems(name, model, { field, root, rootModel: of.source.model }),
    ...foreign.map(([option]) => `${name}: ${option} is ${root}'s to say, whose lanes it shares.`),
  ];
}

/** Its id must tell where a record is: a delete, a patch or a delta has nothing else. */
function partitionIdProblems(
  name: string,
  model: Model,
  { field, root, rootModel }: { readonly field: string; readonly root: string; readonly rootModel: Model },
): string[] {
  if (model.id.length < 2 || model.id[0] !== field)
    return [
      `${name}: it can't be partitioned by "${field}"; the id of ${model.name} must begin with it: @@id([${field}, …]).`,
    ];
  const own = model.fields[field];
  const other = rootModel.id.length === 1 ? rootModel.fields[rootModel.id[0] as string] : undefined;
  return own?.type === other?.type && own?.nativeType === other?.nativeType
    ? []
    : [`${name}: "${field}" has not the type of the id of ${root}, which must be a single field.`];
}

/** A name that is mistyped would show what is to be hidden. */
function privateProblems(name: string, { model, private: hidden = [] }: ModelSource): string[] {
  return hidden
    .filter((field) => !model.fields[field])
    .map((field) => `${name}: "${field}" can't be private; ${model.name} has no field of that name.`);
}

function renamedProblems(name: string, { model, renamed = {} }: ModelSource): string[] {
  return Object.entries(renamed).flatMap(([now, before]) => [
    ...(model.fields[now]
      ? []
      : [`${name}: "${now}" can't be a renamed field; ${model.name} has none of that name.`]),
    ...(model.fields[before]
      ? [`${name}: "${before}" can't be renamed to "${now}"; ${model.name} still has it.`]
      : []),
  ]);
}

function versionFieldProblems(name: string, { model, counters, version }: ModelSource): string[] {
  if (version === undefined) return [];
  const field = model.fields[version];
  if (field?.type !== 'BigInt' || field.isList || field.isNullable || model.id.includes(version)) {
    return [
      `${name}: "${version}" can't be its version; that takes a required BigInt field of ${model.name}, other than the id.`,
    ];
  }
  return counters.includes(version) ? [`${name}: "${version}" can't be both its version and a counter.`] : [];
}

function counterFieldProblems(name: string, model: Model, fieldName: string): string[] {
  const field = model.fields[fieldName];
  if (!field || (field.type !== 'Int' && field.type !== 'BigInt') || field.isList || field.isNullable) {
    return [
      `${name}: "${fieldName}" can't be a counter; that takes a required Int or BigInt field of ${model.name}.`,
    ];
  }
  return field.default.kind === 'value' && field.hasDatabaseDefault
    ? []
    : [
        `${name}: counter "${fieldName}" of ${model.name} needs a default, such as @default(0), for new rows.`,
      ];
}

/** Two stores that write the same column would do so from different lanes, without an order. */
function sharedModelProblems(definitions: WrittenDefinitions): string[] {
  const all = Object.entries(definitions);
  return all.flatMap(([name, definition], i) => {
    const owner = all.slice(0, i).find(([, earlier]) => writeSameColumn(earlier, definition));
    if (!owner || definition.source.kind !== 'model') return [];
    return [
      `${name}: store "${owner[0]}" keeps model ${definition.source.model.name} already. Use one record store for a ` +
        'model, and counter({ of: … }) for its counters.',
    ];
  });
}

function writeSameColumn(
  a: RecordDefinition | CounterDefinition,
  b: RecordDefinition | CounterDefinition,
): boolean {
  if (a.source.kind !== 'model' || b.source.kind !== 'model') return false;
  if (a.source.model.name !== b.source.model.name) return false;
  const [fieldA, fieldB] = [a.source, b.source].map((source) =>
    'field' in source ? source.field : undefined,
  );
  return fieldA === undefined || fieldB === undefined || fieldA === fieldB;
}
