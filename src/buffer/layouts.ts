/**
 * How many lanes each store has: Redis is the truth. A definition's number is only the first one: that of a
 * store that was never written.
 */
import type { RedisClient } from '../connection/redis.js';
import type { LaneGroup, Stores } from '../definitions/stores.js';
import { ForebayError } from '../errors.js';
import type { Emit } from '../events.js';
import { partitionsKey } from '../keys.js';
import { firstLayout, Lanes } from './lane.js';
import { type Layout, layoutText, parseLayout } from './layout.js';
import type { WriteBuffer } from './write-buffer.js';

/** The layouts of all stores that were ever written, by name. */
export async function readLayouts(redis: RedisClient, prefix: string): Promise<Map<string, Layout>> {
  const known = await redis.hgetall(partitionsKey(prefix));
  return new Map(Object.entries(known).map(([store, text]) => [store, parseLayout(text)]));
}

/** The lanes of the definitions as Redis has them; those of new stores as they will be. */
export async function readLanes(redis: RedisClient, stores: Stores, prefix: string): Promise<Lanes> {
  return new Lanes(stores, prefix, await readLayouts(redis, prefix));
}

/** The lanes of the definitions, once Redis knows how many each store has. */
export async function openLanes(
  stores: Stores,
  prefix: string,
  buffer: WriteBuffer,
  emit: Emit,
): Promise<Lanes> {
  const layouts = new Layouts(buffer);
  const settled = await Promise.all(
    stores.groups.map(async (group) => [group.name, await layouts.ofGroup(group)] as const),
  );
  const layoutOf = new Map(settled);
  for (const group of stores.groups) await refuseOwnLanes(group, layouts);
  for (const group of stores.groups) tellOfOther(group, layoutOf.get(group.name) as Layout, emit);
  return new Lanes(stores, prefix, layoutOf);
}

/** What they hold nobody of these definitions would flush; and others still write there. */
async function refuseOwnLanes({ name, parts }: LaneGroup, layouts: Layouts): Promise<void> {
  for (const part of parts) {
    const { layout } = await layouts.read(part);
    if (!layout || layout.partitions === 0) continue;
    throw new ForebayError(
      'INVALID_DEFINITION',
      `Store "${part}" is partitioned by "${name}", and has lanes of its own in Redis. Before you deploy this: npx forebay lanes ${part} 0 has what they hold written, and closes them.`,
      { context: { store: part, partitions: layout.partitions } },
    );
  }
}

/** Where the command has changed it, the definition is only old. */
function tellOfOther(
  { name, partitions: defined }: LaneGroup,
  { partitions, epoch }: Layout,
  emit: Emit,
): void {
  if (defined === partitions || epoch > 0) return;
  emit({
    type: 'server.warning',
    what: `Store "${name}" is defined with ${defined} partitions and has ${partitions}: a definition's number is only that of a new store.`,
    advice: `To change it while everything runs: npx forebay lanes ${name} ${defined}`,
  });
}

/** A layout, and the server's time in µs when it was read. */
export interface LayoutNow {
  readonly layout: Layout | undefined;
  readonly now: number;
}

export class Layouts {
  readonly #buffer: Pick<WriteBuffer, 'layout'>;

  constructor(buffer: Pick<WriteBuffer, 'layout'>) {
    this.#buffer = buffer;
  }

  /** Of a store that was ever written. A change whose time is over is undone. */
  async read(store: string): Promise<LayoutNow> {
    const { layout, now } = await this.#call(store);
    const isOver = layout?.next !== undefined && now > layout.next.until;
    return isOver ? { layout: await this.undo(store, layout), now } : { layout, now };
  }

  /**
   * That of a new store is its definition's. @throws ForebayError LANES_CHANGING when its lanes were closed
   */
  async ofGroup(group: LaneGroup): Promise<Layout> {
    const { layout } = await this.read(group.name);
    if (layout?.partitions === 0) throw lanesClosed(group);
    if (layout) return layout;
    // Somebody else may just have set it, perhaps to another number.
    const set = await this.#call(group.name, '', layoutText(firstLayout(group)));
    return set.layout as Layout;
  }

  /** False: the layout is not `known` any more. */
  async replace(store: string, known: Layout, next: Layout): Promise<boolean> {
    const { layout } = await this.#call(store, layoutText(known), layoutText(next));
    return layout !== undefined && layoutText(layout) === layoutText(next);
  }

  /**
   * Ends a change that was not decided: nobody has written by its number. Returns what stands then. Whoever
   * still makes the change finds another epoch in the lanes, or in the layout.
   */
  async undo(store: string, known: Layout): Promise<Layout> {
    const { partitions, tags, epoch, next } = known;
    const before = { partitions, tags, epoch: (next?.epoch ?? epoch) + 1 };
    const { layout } = await this.#call(store, layoutText(known), layoutText(before));
    return layout ?? before;
  }

  async #call(store: string, known = '', next = ''): Promise<LayoutNow> {
    const { text, now } = await this.#buffer.layout(store, known, next);
    return { layout: text === '' ? undefined : parseLayout(text), now };
  }
}

function lanesClosed({ name }: LaneGroup): ForebayError {
  return new ForebayError(
    'LANES_CHANGING',
    `The lanes of store "${name}" were closed, for another release has its records in another store's lanes (partitionBy). Deploy that, or open them: npx forebay lanes ${name} N.`,
    { retryable: true, context: { store: name } },
  );
}
