/** What is used of Prisma's client, beyond what its types tell an extension that knows no schema. */
import type { Transaction } from '../definitions/record.js';
import { ForebayError } from '../errors.js';

export type Args = Readonly<Record<string, unknown>>;

/** A client, or a transaction's, which can't be disconnected. */
export interface PrismaClient extends Transaction {
  $extends(extension: object): PrismaClient;
  $transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    options?: { maxWait?: number; timeout?: number },
  ): Promise<T>;
}

/** Its reads of a model. */
export interface Delegate {
  findMany(args: Args): Promise<Args[]>;
}

/** An operation as a query extension is told of it. */
export interface Operation {
  readonly model: string;
  readonly operation: string;
  readonly args: Args;
  query(args: Args): Promise<unknown>;
  /** Prisma's own: whether it runs in a transaction. */
  readonly __internalParams?: { readonly transaction?: { readonly kind?: string } };
}

export interface DataModel {
  readonly models: Readonly<Record<string, { readonly fields: readonly DataField[] }>>;
}

interface DataField {
  readonly name: string;
  readonly kind: string;
  readonly type: string;
}

type Omitted = Readonly<Record<string, Readonly<Record<string, boolean | undefined>>>>;

/** @throws ForebayError INVALID_CONFIG */
export function dataModelOf(client: unknown): DataModel {
  const found = (client as { _runtimeDataModel?: DataModel })._runtimeDataModel;
  if (found?.models !== undefined) return found;
  throw new ForebayError(
    'INVALID_CONFIG',
    'forebayExtension was given no Prisma client that it knows: it has no data model. It is made for Prisma 7.',
  );
}

/** The client's own option `omit`, by delegate. */
export function globalOmitOf(client: unknown): Omitted {
  return (client as { _globalOmit?: Omitted })._globalOmit ?? {};
}

export const isTransactionClient = (client: object): boolean => !('$disconnect' in client);

export function delegateOf(client: unknown, name: string): Delegate {
  return (client as Record<string, Delegate>)[name] as Delegate;
}

export function isObject(value: unknown): value is Args {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
