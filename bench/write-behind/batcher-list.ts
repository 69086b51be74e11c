/** What app and worker of the batcher agree on. */
import type { Table } from './rows.js';
import { requireVariable } from './variable.js';

export function batcherList(table: Table): string {
  return `${requireVariable('FOREBAY_PREFIX')}:batcher:${table}`;
}
