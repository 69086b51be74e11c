/**
 * Writes that belong together: those of one aggregate, accepted in one call, or none of them, and committed
 * in one transaction.
 */
import type { Write } from '../../buffer/step-replies.js';
import { hasAggregates, rootKeyOfField } from '../../definitions/aggregate.js';
import type { CounterDefinition } from '../../definitions/counter.js';
import type { RecordDefinition } from '../../definitions/record.js';
import type { Definitions, LaneGroup, Stores } from '../../definitions/stores.js';
import { ForebayError, isForebayError } from '../../errors.js';
import { checkList, checkObject, quoted } from '../../given.js';
import { splitField } from '../../keys.js';
import type { ClientContext } from '../context.js';
import { Receipt } from '../receipts/receipt.js';
import { planOf, type WriteOptions } from './write-options.js';

/** Whether two types are one. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** Whether rows of a definition belong to those of a root, or are them. */
type IsIn<Definition, Root> =
  Same<Definition, Root> extends true
    ? true
    : Definition extends RecordDefinition<unknown, unknown, infer _, unknown, unknown, infer Of>
      ? Same<Of, Root>
      : false;

/** Names of the stores of the aggregates that begin with a row of the store `Root`. */
type StoreOf<D extends Definitions, Root extends keyof D> = {
  [Name in keyof D]: D[Name] extends CounterDefinition<infer _, infer __, infer Of>
    ? IsIn<Of, D[Root]> extends true
      ? Name
      : never
    : IsIn<D[Name], D[Root]> extends true
      ? Name
      : never;
}[keyof D];

/** What a store takes. */
type WriteTo<Name, Definition> =
  Definition extends RecordDefinition<infer _, infer Input, infer Id>
    ?
        | { readonly store: Name; readonly put: Input; readonly version?: bigint }
        | { readonly store: Name; readonly patch: Partial<Input>; readonly id: Id }
        | { readonly store: Name; readonly delete: Id; readonly version?: bigint }
    : Definition extends CounterDefinition<infer Id, infer _>
      ? { readonly store: Name; readonly add: number | bigint; readonly id: Id }
      : never;

/**
 * One of the writes of an aggregate: a row that is put, fields that are patched, a row that is deleted, or a
 * delta. With a `version` it is accepted if the record is still at that, see `getVersioned`.
 */
export type TogetherWrite<D extends Definitions, Root extends keyof D> = {
  [Name in StoreOf<D, Root>]: WriteTo<Name, D[Name]>;
}[StoreOf<D, Root>];

/** Any of them, as it is looked at. */
export interface AnyWrite {
  readonly store: string;
  readonly put?: unknown;
  readonly patch?: object;
  readonly delete?: unknown;
  readonly add?: number | bigint;
  readonly id?: unknown;
  readonly version?: bigint;
}

/** What a store's client is asked for them. */
export interface TogetherStore {
  /**
   * What is to be sent; none: it is no write of such a store. @throws ForebayError INVALID_ID, INVALID_VALUE,
   * VALUE_TOO_LARGE
   */
  writesOf(write: AnyWrite): Write[];
  /**
   * Has the patch's row be known to Redis, and returns the patch as an update of that, where it is as it was
   * seen. @throws ForebayError ROW_MISSING
   */
  asUpdate?(patch: AnyWrite): Promise<Write[]>;
}

/** A client of a store that is written. */
export interface StoredClient {
  readonly together: TogetherStore;
}

/** Most writes of a call: Redis serves nobody else meanwhile. */
const writesMax = 1_000;
/** So often rows that Redis does not have are loaded and patched; evictions may come between. */
const patchTriesMax = 4;
/** So often all is tried: at last with updates, between which and what they have seen others may write. */
const triesMax = 10;

export class Together {
  readonly #stores: Stores;
  readonly #context: Pick<ClientContext, 'lanes' | 'writes' | 'receipts'>;
  readonly #clients: Readonly<Record<string, StoredClient>>;

  constructor(
    stores: Stores,
    context: Pick<ClientContext, 'lanes' | 'writes' | 'receipts'>,
    clients: Readonly<Record<string, StoredClient>>,
  ) {
    this.#stores = stores;
    this.#context = context;
    this.#clients = clients;
  }

  async write(root: string, given: readonly AnyWrite[], options: WriteOptions | undefined): Promise<Receipt> {
    const group = this.#groupOf(root);
    checkList('Writes that belong together', given);
    let writes = given.map((write) => this.#writesOf(write, group));
    checkAggregate(group, writes.flat());
    for (let tries = 1; ; tries++) {
      try {
        return await this.#submit(group, writes.flat(), options);
      } catch (error) {
        const hasPatch = given.some(({ patch }) => patch !== undefined);
        if (!isForebayError(error, 'CONFLICT') || !hasPatch || tries === triesMax) throw error;
        const updates = await Promise.all(given.map((write) => this.#asUpdate(write)));
        // A row of another release that is pending is written whole.
        if (tries >= patchTriesMax) writes = writes.map((own, i) => updates[i] ?? own);
      }
    }
  }

  async #asUpdate(write: AnyWrite): Promise<Write[] | undefined> {
    return write.patch === undefined ? undefined : this.#clients[write.store]?.together.asUpdate?.(write);
  }

  #groupOf(root: string): LaneGroup {
    const group = this.#stores.byName.get(root)?.group;
    if (group !== undefined && group.name === root && hasAggregates(group)) return group;
    throw new ForebayError(
      'UNKNOWN_STORE',
      `No store's rows belong to those of ${quoted(root)}: writeTogether takes the name of a record store that others are partitioned by (partitionBy).`,
      { context: { store: root } },
    );
  }

  #writesOf(write: AnyWrite, group: LaneGroup): Write[] {
    checkObject('A write', write);
    const { store } = write;
    if (this.#stores.byName.get(store)?.group !== group)
      throw acrossAggregates(group, `store ${quoted(store)}`);
    const writes = this.#clients[store]?.together.writesOf(write) ?? [];
    if (writes.length > 0) return writes;
    throw invalidWrites(`one to store "${store}" says neither put, patch nor delete, or, of a counter, add`);
  }

  async #submit(
    group: LaneGroup,
    writes: readonly Write[],
    options: WriteOptions | undefined,
  ): Promise<Receipt> {
    const [{ field }] = writes as [Write];
    const { store, idKey } = splitField(field);
    const lane = this.#context.lanes.ofRecord({ name: store, group }, idKey);
    const plan = planOf(group, options);
    const together: Write = { op: 'together', field, payload: String(writes.length) };
    const accepted = await this.#context.writes.submit(lane, [together, ...writes], plan);
    const receipt = new Receipt(this.#context.receipts, accepted.lane, field, accepted);
    if (plan.durability === 'database') await receipt.persisted();
    return receipt;
  }
}

function checkAggregate(group: LaneGroup, writes: readonly Write[]): void {
  if (writes.length === 0 || writes.length > writesMax)
    throw invalidWrites(
      `there must be 1 to ${writesMax}, and a row's counters count when it is deleted; there are ${writes.length}`,
    );
  const keys = writes.map(({ field }) => rootKeyOfField(group, field));
  if (new Set(keys).size > 1) throw acrossAggregates(group, 'more than one of them');
  const fields = new Set<string>();
  for (const { field } of writes) {
    if (fields.has(field))
      throw invalidWrites(`there are two of ${field}, or one of a counter whose row is deleted`);
    fields.add(field);
  }
}

function acrossAggregates({ name }: LaneGroup, what: string): ForebayError {
  return new ForebayError(
    'ACROSS_AGGREGATES',
    `Writes that belong together must all be of one row of store "${name}" and of what belongs to that; these are of ${what}. Nothing was written.`,
    { context: { store: name } },
  );
}

function invalidWrites(what: string): ForebayError {
  return new ForebayError(
    'INVALID_VALUE',
    `Writes that belong together can't be accepted: ${what}. Nothing was written.`,
  );
}
