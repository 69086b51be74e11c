/**
 * `forebay/prisma`: the app's stores in its Prisma client. Rows by id are read through the cache, writes of
 * Prisma's own drop the entries of the rows, and each model has `upsertMany` and, where a store has its rows,
 * `writeBehind`. And the adapter that its client may have.
 */
import type { Forebay, StoreClient } from './app/connect.js';
import type { Model } from './definitions/model.js';
import type { RecordDefinition } from './definitions/record.js';
import type { Definitions } from './definitions/stores.js';
import { extend } from './prisma-extension/extend.js';

export { createPrismaAdapter, type PrismaAdapterOptions } from './connection/postgres.js';

/** Models by any names: `import * as models from './generated/models.js'`. */
export type Models = Readonly<Record<string, unknown>>;

/** What `forebayExtension` takes beside the app. */
export interface ForebayExtensionOptions<M extends Models> {
  /** Further models that get `upsertMany`, as forebay's generator wrote them. Default: none. */
  readonly models?: M;
}

/** How many rows `upsertMany` has inserted or updated. */
export interface UpsertedCount {
  /** As Postgres counted them. */
  readonly count: number;
}

/** What every model gets. */
export interface ModelUpserts<Input> {
  /**
   * Inserts rows, or writes their fields over the rows with their ids: what `upsert` with the same `create`
   * and `update` does for each, in statements of up to 2,000 rows; all of them or none. Within a transaction
   * it is a part of it. Fields with a default may be left out: a row that is there keeps them, and
   * `@updatedAt` moves.
   * @throws ForebayError INVALID_VALUE, INVALID_ID with the row's `index` in the context, before anything is
   * written; DATABASE_NOT_READY; Prisma's own errors
   */
  upsertMany(rows: readonly Input[]): Promise<UpsertedCount>;
}

/** What a model gets whose rows a store has. */
export interface ModelStore<Client> {
  /** The app's store of the model: Redis accepts its writes, and workers carry them to the database. */
  readonly writeBehind: Client;
}

/** The name of a model's delegate. */
export type DelegateOf<M> =
  M extends Model<unknown, unknown, unknown, infer Name> ? Uncapitalize<Name> : never;

/** The Prisma model of a store's definition. */
type ModelOf<D> = D extends RecordDefinition<unknown, infer _I, unknown, unknown, infer M> ? M : never;

/** Counters and the version may be given, and may be left out. */
type InputOf<D> =
  D extends RecordDefinition<unknown, infer Input, unknown, unknown, Model<unknown, infer Whole, unknown>>
    ? Input & Partial<Whole>
    : never;

/** The models that the app's stores have, by delegate. */
export type CoveredModels<D extends Definitions> = {
  readonly [Name in keyof D as DelegateOf<ModelOf<D[Name]>>]: ModelUpserts<InputOf<D[Name]>> &
    ModelStore<StoreClient<D[Name]>>;
};

/** The other models that were given, by delegate. */
export type FurtherModels<M extends Models, Covered> = {
  readonly [Name in keyof M as Exclude<DelegateOf<M[Name]>, keyof Covered>]: M[Name] extends Model<
    unknown,
    infer Input
  >
    ? ModelUpserts<Input>
    : never;
};

/** An extension for `$extends`, as Prisma types those that are functions. */
export type ForebayExtension<Extended> = (client: unknown) => {
  readonly $extends: {
    readonly extArgs: {
      readonly result: Record<never, never>;
      readonly model: {
        readonly [Delegate in keyof Extended]: {
          readonly [Member in keyof Extended[Delegate]]: () => Extended[Delegate][Member];
        };
      };
      readonly query: Record<never, never>;
      readonly client: Record<never, never>;
    };
  };
};

/**
 * The extension for the app's own Prisma client: `prisma.$extends(forebayExtension(app))`.
 * @throws ForebayError INVALID_CONFIG, when it is applied to a client that it does not know
 */
export function forebayExtension<D extends Definitions, const M extends Models = Record<never, never>>(
  app: Forebay<D>,
  options: ForebayExtensionOptions<M> = {},
): ForebayExtension<CoveredModels<D> & FurtherModels<M, CoveredModels<D>>> {
  const extension = (client: unknown): unknown =>
    extend(client, app.stores, Object.values(options.models ?? {}));
  return extension as ForebayExtension<CoveredModels<D> & FurtherModels<M, CoveredModels<D>>>;
}
