/** The log of an app where nothing else listens: pino's form, warnings and errors alone. */
import { expect, it } from 'vitest';
import { ForebayError } from '../../src/errors.js';
import { logEvents } from '../../src/event-log.js';
import { createWarningLog } from '../../src/warning-log.js';

it('has each warning and error as a line, and of errors no fields', () => {
  const lines: object[] = [];
  const emit = logEvents(createWarningLog((line) => lines.push(JSON.parse(line) as object)));
  const refused = Object.assign(new Error('broken'), { detail: 'a row' });
  emit({ type: 'l1.opened' });
  emit({ type: 'l1.closed' });
  emit({ type: 'wake.failed', lane: 'tasks/3', error: new ForebayError('CLOSED', 'This client is closed.') });
  emit({ type: 'job.failed', job: 'flush', error: refused });
  const always = {
    time: expect.any(Number),
    pid: process.pid,
    hostname: expect.any(String),
    name: 'forebay',
  };
  expect(lines).toEqual([
    {
      ...always,
      level: 40,
      msg: 'wake.failed',
      lane: 'tasks/3',
      error: { code: 'CLOSED', message: 'This client is closed.' },
    },
    { ...always, level: 50, msg: 'job.failed', job: 'flush', error: { name: 'Error', message: 'broken' } },
  ]);
});
