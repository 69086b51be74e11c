/** The demo's command line, and what it undoes at the end. */
import { expect, test } from 'vitest';
import { parseDemoArguments, projectFolder } from '../../../demo/arguments.js';
import { Cleanup } from '../../../demo/cleanup.js';
import { withSchema } from '../../../demo/fresh-state.js';

test('without options the project’s own history is replayed and the board stays', () => {
  const expected = { source: { repo: projectFolder }, json: undefined, exit: false, help: false };
  expect(parseDemoArguments([])).toEqual(expected);
});

test('all options are understood', () => {
  expect(parseDemoArguments(['--activity', 'a.gz', '--json=out.json', '--exit'])).toEqual({
    source: { activity: 'a.gz' },
    json: 'out.json',
    exit: true,
    help: false,
  });
  expect(parseDemoArguments(['--repo', 'x']).source).toEqual({ repo: 'x' });
  expect(parseDemoArguments(['-h']).help).toBe(true);
});

test.each([['--foo'], ['extra'], ['--repo'], ['--repo='], ['--exit=1'], ['--repo', 'x', '--activity', 'y']])(
  'a wrong command line is refused: %s %s %s %s',
  (...args) => {
    const isRefused = expect.objectContaining({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining('--help'),
    });
    expect(() => parseDemoArguments(args)).toThrow(isRefused);
  },
);

test('the last that was done is undone first, once, and a failure stops none of the others', async () => {
  const log: string[] = [];
  const cleanup = new Cleanup();
  cleanup.add('first', async () => log.push('first'));
  cleanup.add('second', async () => {
    throw new Error('stuck');
  });
  cleanup.add('third', async () => log.push('third'));
  const tell = (what: string, error: unknown): unknown => log.push(`${what} failed: ${String(error)}`);
  await cleanup.run(tell);
  await cleanup.run(tell);
  expect(log).toEqual(['third', 'second failed: Error: stuck', 'first']);
});

test('the schema in a database URL is set, replaced and taken away, and the rest is kept', () => {
  const url = 'postgresql://u:p%40@h:5/db?schema=mine&sslmode=require';
  expect(withSchema(url, 'forebay_demo')).toBe(
    'postgresql://u:p%40@h:5/db?sslmode=require&schema=forebay_demo',
  );
  expect(withSchema(url, undefined)).toBe('postgresql://u:p%40@h:5/db?sslmode=require');
});
