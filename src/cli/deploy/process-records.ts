/**
 * What pm2's bus tells of each process: that it is ready, that it ended, its last lines, its signs of life.
 */
import { aliveTopic } from '../../services/role/alive.js';

interface BusData {
  readonly process: { readonly pm_id: number };
}

/** pm2's bus. */
export interface Bus {
  on(event: string, listener: (data: never) => void): void;
}

export interface ProcessRecord {
  isReady: boolean;
  /** How often it ended. */
  exits: number;
  /** How often it gave a sign of life; undefined: it is none of forebay's workers, or not ready yet. */
  signs: number | undefined;
  /** The last that it wrote, to standard output and error. */
  readonly lines: string[];
}

export interface ProcessRecords {
  of(id: number): ProcessRecord;
}

const linesMax = 12;
const lineCharactersMax = 500;

export function processRecords(bus: Bus): ProcessRecords {
  const records = new Map<number, ProcessRecord>();
  const recordOf = (id: number): ProcessRecord => {
    const record = records.get(id) ?? { isReady: false, exits: 0, signs: undefined, lines: [] };
    records.set(id, record);
    return record;
  };
  const on = <T>(event: string, note: (record: ProcessRecord, data: T & BusData) => void): void =>
    bus.on(event, (data: T & BusData) => note(recordOf(data.process.pm_id), data));
  on<{ raw: unknown }>('process:msg', (record, { raw }) => {
    record.isReady ||= raw === 'ready';
  });
  on<{ event: string }>('process:event', (record, { event }) => {
    if (event === 'exit') record.exits += 1;
  });
  on(aliveTopic, (record) => {
    record.signs = (record.signs ?? 0) + 1;
  });
  for (const event of ['log:out', 'log:err'])
    on<{ data: string }>(event, (record, { data }) => addLines(record, data));
  return { of: recordOf };
}

function addLines({ lines }: ProcessRecord, text: string): void {
  const more = text.split('\n').filter((line) => line.trim() !== '');
  lines.push(...more.map((line) => line.slice(0, lineCharactersMax)));
  lines.splice(0, lines.length - linesMax);
}
