/**
 * What a request reads, it reads once: later reads of the same row, counter or value share the first one.
 * After a write of the request all is read anew.
 */
import type { Forebay } from '../app/connect.js';
import { ComputedClient } from '../client/stores/computed-client.js';
import type { CounterClient } from '../client/stores/counter-client.js';
import type { RecordClient } from '../client/stores/record-client.js';
import type { Writer } from '../client/values/write-behind.js';
import type { WriteValueOptions } from '../client/values/written-entry.js';
import type { Definitions } from '../definitions/stores.js';

/** The stores and cached values of an app as one request sees them. */
export interface RequestScope<D extends Definitions>
  extends Pick<Forebay<D>, 'stores' | 'read' | 'readMany' | 'write' | 'cache'> {
  /** What was read so far is read anew. */
  forget(): void;
}

type Client =
  | RecordClient<unknown, unknown, unknown>
  | CounterClient<unknown, unknown>
  | ComputedClient<unknown>;
type Method = (...given: never[]) => unknown;

/** A scope for one request, which ends with it: keep it no longer. */
export function requestScope<D extends Definitions>(app: Forebay<D>): RequestScope<D> {
  const memo = new Memo();
  const forget = (): void => memo.forget();
  /** By what the scope gives in their place. */
  const clients = new Map<unknown, unknown>();
  const stores = Object.entries(app.stores).map(([name, client]) => {
    const scoped = scopedClient(name, client as Client, memo);
    clients.set(scoped, client);
    return [name, scoped];
  });
  const write = (key: string, data: unknown, to: unknown, options?: WriteValueOptions): Promise<unknown> =>
    app.write(key, data, (clients.get(to) ?? to) as Writer<unknown>, options);
  return {
    stores: Object.freeze(Object.fromEntries(stores)) as RequestScope<D>['stores'],
    cache: app.cache,
    read: (key, load, options) => memo.take(`read ${key}`, () => app.read(key, load, options)),
    readMany: (keys, load, options) => app.readMany(keys, load, options),
    write: forgetting(write, forget) as RequestScope<D>['write'],
    forget,
  };
}

/** Reads of a request, by what is read. */
class Memo {
  #reads = new Map<string, Promise<unknown>>();

  take<T>(name: string, read: () => Promise<T>): Promise<T> {
    const known = this.#reads.get(name);
    if (known !== undefined) return known as Promise<T>;
    const reading = read();
    this.#reads.set(name, reading);
    // Whoever asks after a failure tries again.
    reading.catch(() => this.#reads.get(name) === reading && this.#reads.delete(name));
    return reading;
  }

  forget(): void {
    this.#reads = new Map();
  }
}

/** What is not a read may be a write, before which nothing that was read counts any more. */
function scopedClient(name: string, client: Client, memo: Memo): Client {
  const get = (id: unknown): Promise<unknown> =>
    memo.take(`${name} ${keyOf(client, id)}`, () => client.get(id as never));
  const getMany = (ids: readonly unknown[]): Promise<unknown[]> => Promise.all(ids.map(get));
  const forget = (): void => memo.forget();
  return new Proxy(client, {
    get(target, property) {
      if (property === 'get') return get;
      if (property === 'getMany') return getMany;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? forgetting(value.bind(target) as Method, forget) : value;
    },
  });
}

function keyOf(client: Client, id: unknown): string {
  return client instanceof ComputedClient ? String(id) : client.store.ids.toKey(id);
}

/** Forgets before the call, for what is read during it, and after it. */
function forgetting<M extends Method>(method: M, forget: () => void): M {
  const scoped = (...given: never[]): unknown => {
    forget();
    const result = method(...given);
    if (result instanceof Promise) result.then(forget, forget);
    return result;
  };
  return scoped as M;
}
