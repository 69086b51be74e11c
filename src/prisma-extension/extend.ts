/** A Prisma client with the extension: its parts, and which operations go to which. */
import type { Model } from '../definitions/model.js';
import { readThrough } from './cached-reads.js';
import { type CoveredModel, coveredModels } from './covered-model.js';
import { NestedWrites } from './nested-writes.js';
import {
  type Delegate,
  dataModelOf,
  delegateOf,
  globalOmitOf,
  isTransactionClient,
  type Operation,
  type PrismaClient,
} from './prisma-client.js';
import { openTransaction, type TouchedRows, withDrops } from './touched-rows.js';
import { Upserts } from './upsert-many.js';
import { writes } from './written-rows.js';

const reads = new Set(['findUnique', 'findUniqueOrThrow', 'findMany']);

export function extend(client: unknown, stores: object, further: readonly unknown[]): PrismaClient {
  const prisma = client as PrismaClient;
  const covered = coveredModels(stores);
  const operations = new Operations(prisma, covered);
  return prisma.$extends({
    name: 'forebay',
    model: modelMembers(covered, further),
    query: { $allModels: { $allOperations: (operation: Operation) => operations.run(operation) } },
    client: {
      $transaction(this: object, ...args: [unknown, ...unknown[]]): Promise<unknown> {
        const begin = (...given: unknown[]) =>
          Reflect.apply(prisma.$transaction, this, given) as Promise<unknown>;
        return withDrops(begin)(...args);
      },
    },
  });
}

class Operations {
  readonly #prisma: PrismaClient;
  readonly #covered: ReadonlyMap<string, CoveredModel>;
  readonly #nested: NestedWrites;

  constructor(prisma: PrismaClient, covered: ReadonlyMap<string, CoveredModel>) {
    this.#prisma = prisma;
    this.#covered = covered;
    this.#nested = new NestedWrites(dataModelOf(prisma), covered);
  }

  run(operation: Operation): Promise<unknown> {
    const covered = this.#covered.get(operation.model);
    if (covered && reads.has(operation.operation) && transactionOf(operation) === 'none') {
      return readThrough(operation, covered, globalOmitOf(this.#prisma)[covered.model.delegate]);
    }
    if (!Object.hasOwn(writes, operation.operation)) return operation.query(operation.args);
    const nested = this.#nested.of(operation.model, operation.args);
    return covered || !nested.isEmpty
      ? this.#write(operation, covered, nested)
      : operation.query(operation.args);
  }

  /** Of a batch the query is begun at once: one that comes later would be in a transaction of its own. */
  async #write(operation: Operation, covered: CoveredModel | undefined, rows: TouchedRows): Promise<unknown> {
    const write = writes[operation.operation];
    if (!covered || !write) return this.#thenDrop(operation, rows, await operation.query(operation.args));
    const { result, touched } = await write(operation, covered, this.#readerOf(operation, covered));
    rows.add(covered, touched);
    return this.#thenDrop(operation, rows, result);
  }

  async #thenDrop<T>(operation: Operation, rows: TouchedRows, result: T): Promise<T> {
    const transaction = transactionOf(operation) === 'itx' ? openTransaction() : undefined;
    if (transaction) transaction.touched.addAll(rows);
    else await rows.drop();
    return result;
  }

  #readerOf(operation: Operation, { model }: CoveredModel): Delegate | undefined {
    switch (transactionOf(operation)) {
      case 'none':
        return delegateOf(this.#prisma, model.delegate);
      case 'itx':
        return openTransaction() && delegateOf(openTransaction()?.client, model.delegate);
      default:
        return undefined;
    }
  }
}

/** Where Prisma does not tell, it may be any. */
function transactionOf({ __internalParams: inner }: Operation): string {
  if (inner === undefined) return 'unknown';
  return inner.transaction === undefined ? 'none' : (inner.transaction.kind ?? 'unknown');
}

/** What the delegates get, by delegate. */
function modelMembers(covered: ReadonlyMap<string, CoveredModel>, further: readonly unknown[]): object {
  const models = new Map(further.filter(isModel).map((model) => [model.delegate, model]));
  const members = [...models.values()].map((model) => [model.delegate, upsertsOf(model, undefined)] as const);
  const ofStores = [...covered.values()].map((one) => [
    one.model.delegate,
    { ...upsertsOf(one.model, one), writeBehind: one.client },
  ]);
  return Object.fromEntries([...members, ...ofStores]);
}

function isModel(value: unknown): value is Model {
  return typeof value === 'object' && value !== null && 'delegate' in value && 'fields' in value;
}

function upsertsOf(model: Model, covered: CoveredModel | undefined): object {
  const upserts = new Upserts(model, covered?.store.version);
  return {
    async upsertMany(this: { readonly $parent: PrismaClient }, rows: readonly object[]) {
      const client = this.$parent;
      const { count, idKeys } = await upserts.run(client, rows);
      const transaction = isTransactionClient(client) ? openTransaction() : undefined;
      if (covered && transaction) transaction.touched.add(covered, new Set(idKeys));
      else await covered?.client.entries.drop(idKeys);
      return { count };
    },
  };
}
