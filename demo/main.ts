/** `npm run demo`: see `--help`, or arguments.ts. */
import { styleText } from 'node:util';
import { abortOnSignals, explanation, Interruption } from '../dev/command.js';
import { reasonOf } from '../dev/reason.js';
import { helpText, parseDemoArguments } from './arguments.js';
import { Cleanup } from './cleanup.js';
import { DemoError } from './errors.js';
import { wantsColour } from './report.js';
import { runDemo } from './run.js';

process.exitCode = await main(process.argv.slice(2));

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const controller = new AbortController();
  controller.signal.addEventListener('abort', () => {
    if (controller.signal.reason instanceof Interruption) process.stdout.write('\nStopping …\n');
  });
  abortOnSignals(controller);
  const cleanup = new Cleanup();
  try {
    const parsed = parseDemoArguments(args);
    if (!parsed.help) return (await runDemo(parsed, { controller, cleanup, output: process.stdout })) ? 0 : 1;
    process.stdout.write(helpText);
    return 0;
  } catch (error) {
    return explain(error);
  } finally {
    await cleanup.run((what, error) => complain(`Could not ${what}: ${reasonOf(error)}`));
  }
}

function explain(error: unknown): number {
  if (error instanceof Interruption) return error.exitCode;
  complain(explanation(error));
  return error instanceof DemoError && error.code === 'BAD_ARGUMENT' ? 2 : 1;
}

function complain(text: string): void {
  const line = `demo: ${text}`;
  process.stderr.write(
    `${wantsColour(process.stderr, process.env) ? styleText('red', line, { stream: process.stderr }) : line}\n`,
  );
}
