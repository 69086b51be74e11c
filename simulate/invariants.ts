/** What must be true after each step of a history, and at its end. */
import { fateOfReceipt } from './app.js';
import type { Asked, Table } from './table.js';
import { Violation, type World } from './world.js';

export function must(isTrue: boolean, invariant: string, detail: string): void {
  if (!isTrue) throw new Violation(invariant, detail);
}

/** Of the lane's own keys. */
export async function expectPlaces({ lane, server, postgres }: World, isWhole: boolean): Promise<void> {
  const { redis } = server;
  const { meta, dirty, sealed, order, retries } = lane.keys;
  const [known, records, inBatch, places, waits] = await Promise.all([
    redis.hgetall(meta),
    redis.hgetall(dirty),
    redis.hgetall(sealed),
    redis.zrange(order, '0', '-1', 'WITHSCORES'),
    redis.zrange(retries, '0', '-1', 'WITHSCORES'),
  ]);
  const [first, later] = [scores(places), scores(waits)];
  let bytes = 0;
  for (const [field, content] of Object.entries(records)) {
    must(first.has(field) !== later.has(field), 'FB-PLACE', `one place of ${field}`);
    if (/^[PDR]/.test(content)) bytes += content.length;
    const deltas = field.replace('projects:', 'touches:');
    if (!content.startsWith('R') || !(deltas in records)) continue;
    const isFirst = first.has(field)
      ? (first.get(field) as number) < (first.get(deltas) ?? 0)
      : later.get(field) === later.get(deltas);
    must(isFirst, 'FB-ROW-FIRST', field);
  }
  must(Number(known.bytes ?? 0) === bytes, 'bytes', `${known.bytes} told, ${bytes} dirty`);
  const isDirty = Object.keys(records).length + Object.keys(inBatch).length > 0;
  must(!isDirty || known.due !== undefined, 'FB-WAKE', 'something is dirty, and nobody has promised to come');
  must(
    (known.sealed !== undefined) === Object.keys(inBatch).length > 0,
    'FB-ONE-BATCH',
    'a number and its batch',
  );
  const applied = postgres.state.ledger?.batch ?? 0n;
  if (isWhole) must(BigInt(known.batch ?? 0) >= applied, 'FB-RAISE', 'the ledger is ahead of the lane');
}

function scores(list: readonly string[]): Map<string, number> {
  return new Map(list.flatMap((field, i) => (i % 2 === 0 ? [[field, Number(list[i + 1])] as const] : [])));
}

/** While Redis has lost nothing. What is cached of a row is what was accepted last. */
export async function expectEntry(
  { lane, server, lane: { keys } }: World,
  id: string,
  table: Table,
): Promise<void> {
  const { redis } = server;
  const entry = await redis.get(`${keys.entryPrefix}projects:${id}`);
  if (entry === null || entry.startsWith('?')) return;
  if ((await redis.zcard(lane.keys.dead)) > 0) return;
  const name = entry.startsWith('D') ? undefined : (/"name":"([^"]*)"/.exec(entry)?.[1] as string);
  must(
    name === table.last.row?.name,
    'FB-LEASE',
    `the entry of ${id} has ${name}, not ${table.last.row?.name}`,
  );
}

export function expectNotDoubled({ postgres }: World, id: string): void {
  const touches = postgres.state.rows.get(id)?.touches ?? 0n;
  const isOdd = touches < 0n || /[23]/.test(touches.toString(4));
  must(!isOdd, 'FB-ONCE', `the deltas of ${id} are ${touches.toString(4)} to the base of 4`);
}

/** A receipt that resolves tells the truth; where Redis has lost nothing, none tells of a loss. */
export async function expectReceipts(
  world: World,
  id: string,
  table: Table,
  isWhole: boolean,
): Promise<void> {
  const fates: string[] = [];
  for (const one of table.receipts) fates.push(await fateOfReceipt(one));
  const persisted = table.receipts.filter((_, i) => fates[i] === 'persisted');
  if (!isWhole) return expectKept(world, id, table, persisted);
  must(!fates.includes('lost'), 'no false WRITE_LOST', id);
  const lastOf = (isAdd: boolean): number =>
    Math.max(0, ...persisted.filter((one) => one.isAdd === isAdd).map((one) => table.countedAt(one)));
  const row = world.postgres.state.rows.get(id);
  const names = table.states.slice(lastOf(false)).map((state) => state.row?.name);
  must(
    names.includes(row?.name),
    'FB-WATERMARK',
    `a receipt of ${id} has resolved, and the row has ${row?.name}`,
  );
  const sums = table.states.slice(lastOf(true)).map((state) => state.row?.touches);
  // A row that is made anew may come before its deltas.
  if (sums.includes(undefined)) sums.push(0n);
  must(
    sums.includes(row?.touches),
    'FB-WATERMARK',
    `a delta's receipt of ${id} has resolved, the sum is ${row?.touches}`,
  );
}

/** After a loss: what a receipt says is in the database has been there, or something that came later. */
function expectKept({ postgres }: World, id: string, table: Table, persisted: readonly Asked[]): void {
  const { names, deltas } = postgres.state;
  for (const { at, name, delta } of persisted) {
    const later = table.receipts.filter((one) => one.at >= at);
    const isEnded = later.some((one) => !one.isAdd && one.name === undefined);
    if (isEnded) continue;
    const isThere = later.some((one) => one.name !== undefined && names.has(one.name));
    if (name !== undefined) must(isThere, 'WRITE_LOST rather than a lie', `put ${name} of ${id}`);
    if (delta !== undefined)
      must(((deltas.get(id) ?? 0n) & delta) !== 0n, 'WRITE_LOST rather than a lie', `delta of ${id}`);
  }
}

export function expectTable({ postgres }: World, id: string, table: Table): void {
  const row = postgres.state.rows.get(id);
  const { row: wanted } = table.last;
  const told = (one: typeof wanted | undefined) => (one ? `${one.name} ${one.touches}` : 'no row');
  must(told(row) === told(wanted), 'as one table', `${id}: ${told(row)}, not ${told(wanted)}`);
}
