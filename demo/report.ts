/** The demo's result: as data for `--json`, and as a page for people. */
import { styleText } from 'node:util';
import type { Difference, TableComparison } from './compare.js';
import { count, counted, duration, rate } from './figures.js';

/** What was measured. */
export interface Run {
  readonly activity: string;
  readonly commits: number;
  readonly writesAccepted: number;
  /** Records that workers wrote to the database or deleted there, and the batches they came in. */
  readonly rowsWritten: number;
  readonly batches: number;
  /** Until the last write was accepted. */
  readonly acceptedMs: number;
  /** Until the last row was in the database. */
  readonly drainedMs: number;
  readonly backlogMax: number;
  readonly oldestDirtyAgeMsMax: number;
  readonly tables: readonly TableComparison[];
}

export interface Result {
  readonly activity: string;
  readonly commits: number;
  readonly isEqual: boolean;
  readonly rowsCompared: number;
  readonly rowsEqual: number;
  readonly rowsDifferent: number;
  readonly rowsMissing: number;
  readonly rowsExtra: number;
  readonly writesAccepted: number;
  readonly rowsWritten: number;
  readonly batches: number;
  /** Writes accepted per row written. */
  readonly coalescingRatio: number;
  readonly seconds: number;
  readonly acceptedPerSecond: number;
  readonly persistedPerSecond: number;
  readonly backlogMax: number;
  readonly oldestDirtyAgeMsMax: number;
  readonly tables: readonly TableComparison[];
}

export function resultOf(run: Run): Result {
  const sum = (key: 'compared' | 'equal' | 'different' | 'missing' | 'extra'): number =>
    run.tables.reduce((total, table) => total + table[key], 0);
  const { activity, commits, writesAccepted, rowsWritten, batches, backlogMax, tables } = run;
  return {
    activity,
    commits,
    isEqual: sum('equal') === sum('compared'),
    rowsCompared: sum('compared'),
    rowsEqual: sum('equal'),
    rowsDifferent: sum('different'),
    rowsMissing: sum('missing'),
    rowsExtra: sum('extra'),
    writesAccepted,
    rowsWritten,
    batches,
    coalescingRatio: rounded(writesAccepted / Math.max(rowsWritten, 1), 2),
    seconds: rounded(run.drainedMs / 1_000, 3),
    acceptedPerSecond: perSecond(writesAccepted, run.acceptedMs),
    persistedPerSecond: perSecond(rowsWritten, run.drainedMs),
    backlogMax,
    oldestDirtyAgeMsMax: Math.round(run.oldestDirtyAgeMsMax),
    tables,
  };
}

/** JSON text of a result. A bigint is written as a string, what is absent as null. */
export function toJson(result: Result): string {
  const replacer = (_key: string, value: unknown): unknown =>
    typeof value === 'bigint' ? String(value) : (value ?? null);
  return `${JSON.stringify(result, replacer, 2)}\n`;
}

/** @param isColoured see `wantsColour` */
export function toPage(result: Result, isColoured: boolean): string {
  const paint: Paint = (format, text) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  return [
    '',
    ...comparisonLines(result, paint),
    '',
    ...verdictLines(result, paint),
    '',
    ...speedLines(result, paint),
    '',
  ].join('\n');
}

/** Colours are for terminals, unless NO_COLOR is set: https://no-color.org */
export function wantsColour(
  output: { readonly isTTY?: boolean | undefined },
  env: NodeJS.ProcessEnv,
): boolean {
  return output.isTTY === true && (env.NO_COLOR ?? '') === '';
}

type Paint = (format: 'bold' | 'dim' | 'green' | 'red', text: string) => string;

function comparisonLines({ tables, ...total }: Result, paint: Paint): string[] {
  const rows = tables.map(
    (one) => [one.table, one.compared, one.equal, one.different, one.missing, one.extra] as const,
  );
  const sums = [
    'all',
    total.rowsCompared,
    total.rowsEqual,
    total.rowsDifferent,
    total.rowsMissing,
    total.rowsExtra,
  ] as const;
  return [
    paint('dim', tableLine(['', 'rows compared', 'equal', 'different', 'missing', 'extra'])),
    ...rows.map((row) => tableLine(row.map(cell))),
    paint('bold', tableLine(sums.map(cell))),
  ];
}

const columnWidths = [-10, 13, 10, 10, 10, 10];

function tableLine(cells: readonly string[]): string {
  const padded = cells.map((text, at) => {
    const width = columnWidths[at] ?? 0;
    return width < 0 ? text.padEnd(-width) : text.padStart(width);
  });
  return `  ${padded.join('')}`;
}

function cell(value: string | number): string {
  return typeof value === 'number' ? count(value) : value;
}

function verdictLines(result: Result, paint: Paint): string[] {
  if (result.isEqual) return [paint('green', '  ✔ Every row is equal to the history’s own right answer.')];
  const wrong = counted(result.rowsCompared - result.rowsEqual, 'row');
  return [
    paint('red', `  ✘ ${wrong} of ${count(result.rowsCompared)} not as the history says. The first:`),
    ...result.tables.flatMap((table) => table.differences).map((one) => `    ${describe(one)}`),
  ];
}

/** A difference, in one line: `tasks 5f2c….touches: expected 3, found 2`. */
function describe({ table, id, column, expected, found }: Difference): string {
  const where = `${table} ${id}`;
  if (column !== undefined) return `${where} ${column}: expected ${shown(expected)}, found ${shown(found)}`;
  return found === undefined ? `${where}: missing` : `${where}: should not be there`;
}

function shown(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing');
}

function speedLines(result: Result, paint: Paint): string[] {
  const { writesAccepted, rowsWritten, coalescingRatio, acceptedPerSecond, persistedPerSecond } = result;
  const coalesced = paint('bold', `${coalescingRatio.toFixed(1)} writes per row`);
  return [
    `  ${counted(writesAccepted, 'write')} accepted → ${counted(rowsWritten, 'row')} written in ` +
      `${counted(result.batches, 'batch', 'batches')} (${coalesced})`,
    `  accepted ${rate(acceptedPerSecond)}, rows persisted ${rate(persistedPerSecond)}, ${duration(result.seconds * 1_000)} in all`,
    `  greatest backlog ${count(result.backlogMax)}, oldest unwritten ${duration(result.oldestDirtyAgeMsMax)}`,
  ];
}

function perSecond(total: number, ms: number): number {
  return Math.round((total / Math.max(ms, 1)) * 1_000);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
