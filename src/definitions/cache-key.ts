/**
 * Keys of cached values, `namespace:what:id`: made by typed generators, so that a key knows the type of its
 * value and its time to live. At run time a key is a plain text.
 */
import { ForebayError } from '../errors.js';
import { checkObject, describe, quoted } from '../given.js';

/** Where a key has the type of its value; never set. */
declare const valueType: unique symbol;
/** Tells a pattern from other texts; never set. */
declare const patternType: unique symbol;

/** A key whose value is a `T`. */
export type CacheKey<T> = string & { readonly [valueType]?: T };
/** A pattern over keys: a glob pattern of Redis, or one that `allOf` made. */
export type CachePattern = string & { readonly [patternType]?: true };

/** What a generator of keys is: made by `cacheKey`. */
export interface CacheKeyDefinition<T, Ids extends readonly string[]> {
  /** How long values live, in seconds. */
  readonly ttl: number;
  /** Carries the types; never set. */
  readonly types?: { readonly value: T; readonly ids: Ids };
}

/** Keys to be generated, by name. */
type Definitions = Readonly<Record<string, CacheKeyDefinition<unknown, readonly string[]>>>;

/** Functions that make the keys of a namespace, by their names. */
export type CacheKeyGenerators<D extends Definitions> = {
  readonly [Name in keyof D]: D[Name] extends CacheKeyDefinition<infer T, infer Ids>
    ? (...ids: Ids) => CacheKey<T>
    : never;
};

/** What a key is made of: `namespace:what:id`, or more ids. */
export interface KeyParts {
  /** Of `user:profile:7`, `user`. */
  readonly namespace: string;
  /** Of `user:profile:7`, `profile`. */
  readonly what: string;
  /** Of `user:profile:7`, `['7']`. */
  readonly ids: readonly string[];
}

const ttls = new Map<string, number>();
const namespaces = new Set<string>();

/** The namespaces that `cacheKeys` has defined in this process. */
export function definedNamespaces(): ReadonlySet<string> {
  return namespaces;
}

const name = /^[A-Za-z][A-Za-z0-9-]*$/;
const nameRule = 'it must be letters, digits and -, and begin with a letter';
/** Ten years. */
const ttlMax = 10 * 365 * 86_400;
/** Nothing that ends its place in a key (`:`), turns into a pattern, or can't be seen. */
const id = /^[^\s:*?[\]{}\\\p{C}]{1,256}$/u;
/** As in a shell: here the key ends, or another id follows. Ids hold no braces. */
const endOfId = '{,:*}';
const allOfPattern = /^([A-Za-z][A-Za-z0-9-]*):\*:([^:*?[\]{}\\]+)\{,:\*\}$/;
/** Stands for the id in keys of which there is only one. */
const single = 'all';

/** A key of values of one kind, by one id, or by those that `Ids` names. @param ttl - in seconds */
export function cacheKey<T, Ids extends readonly string[] = readonly [id: string]>(
  ttl: number,
): CacheKeyDefinition<T, Ids> {
  return { ttl };
}

/**
 * Generators of a namespace's keys: `cacheKeys('user', { profile: cacheKey<UserProfile>(3_600)
 * }).profile('7')` is `user:profile:7`.
 * @throws ForebayError INVALID_DEFINITION; the generators throw INVALID_ID
 */
export function cacheKeys<const D extends Definitions>(
  namespace: string,
  definitions: D,
): CacheKeyGenerators<D> {
  checkObject('The keys of a namespace', definitions);
  checkNames(namespace, definitions);
  namespaces.add(namespace);
  const generators = Object.entries(definitions).map(([what, { ttl }]) => {
    const start = `${namespace}:${what}`;
    ttls.set(start, ttl);
    return [what, (...ids: string[]) => keyOf(start, ids)];
  });
  return Object.freeze(Object.fromEntries(generators)) as CacheKeyGenerators<D>;
}

/**
 * The pattern of all keys of a namespace whose first id is exactly this one: `allOf('user', '7')` is of
 * `user:tasks:7` and `user:task:7:3`, and neither of `user:tasks:70` nor of `user:task:3:7`. To be given to
 * `invalidatePattern`, `scanPattern` or `invalidateRelated`; Redis itself knows no such pattern.
 * @throws ForebayError INVALID_ID, INVALID_KEY for a namespace that none can be
 */
export function allOf(namespace: string, idText: string): CachePattern {
  if (typeof namespace !== 'string' || !name.test(namespace))
    throw new ForebayError('INVALID_KEY', `${quoted(namespace)} can't be a namespace: ${nameRule}.`);
  return `${namespace}:*:${checkedId(idText, namespace)}${endOfId}`;
}

/** A pattern as a glob of Redis, and what a key must be besides. */
export interface Matcher {
  readonly glob: string;
  readonly matches: (key: string) => boolean;
}

export function matcherOf(pattern: string): Matcher {
  const [, namespace, id] = allOfPattern.exec(pattern) ?? [];
  if (namespace === undefined || id === undefined) return { glob: pattern, matches: () => true };
  return {
    glob: `${namespace}:*:${id}*`,
    matches: (key) => {
      const [keyNamespace, , firstId] = key.split(':');
      return keyNamespace === namespace && firstId === id;
    },
  };
}

/** How long values of the key live, in seconds; undefined for a text that no generator makes. */
export function ttlOf(key: string): number | undefined {
  const whatEnd = key.indexOf(':', key.indexOf(':') + 1);
  return whatEnd === -1 ? undefined : ttls.get(key.slice(0, whatEnd));
}

/** The parts of a key. @throws ForebayError INVALID_KEY for a text that no generator makes */
export function partsOf(key: string): KeyParts {
  const [namespace = '', what = '', ...ids] = typeof key === 'string' ? key.split(':') : [];
  if (ttls.has(`${namespace}:${what}`) && ids.length > 0 && ids.every((one) => id.test(one))) {
    return { namespace, what, ids };
  }
  throw new ForebayError(
    'INVALID_KEY',
    `${quoted(key)} is no key of a defined namespace (namespace:what:id).`,
  );
}

function keyOf(start: string, ids: readonly string[]): string {
  const [first] = ids;
  // By their number: an id that the caller lacks must not become the key of all.
  if (ids.length === 0) return `${start}:${single}`;
  if (ids.length === 1) return `${start}:${checkedId(first, start)}`;
  return `${start}:${ids.map((one) => checkedId(one, start)).join(':')}`;
}

function checkedId(text: unknown, of: string): string {
  if (typeof text === 'string' && id.test(text)) return text;
  throw new ForebayError(
    'INVALID_ID',
    `${quoted(text)} can't be an id in a key of ${of}: it must be a text of 1 to 256 characters, none of them white space or one of : * ? [ ] { } \\.`,
    { context: { of } },
  );
}

function checkNames(namespace: string, definitions: Definitions): void {
  const problems = [namespace, ...Object.keys(definitions)]
    .filter((one) => typeof one !== 'string' || !name.test(one))
    .map((one) => `${quoted(one)} can't be a name: ${nameRule}`);
  if (namespaces.has(namespace)) problems.push(`namespace ${namespace} is defined twice`);
  for (const [what, definition] of Object.entries(definitions)) {
    const ttl: unknown = definition?.ttl;
    if (typeof ttl !== 'number' || !(ttl > 0 && ttl <= ttlMax))
      problems.push(`${what} must live for more than 0 s and up to ten years, not ${describe(ttl)}`);
  }
  if (problems.length === 0) return;
  throw new ForebayError('INVALID_DEFINITION', `Keys can't be defined:\n- ${problems.join('\n- ')}`);
}
