/** `npm run demo`: see `--help`, or arguments.ts. */
import { styleText } from 'node:util';
import { helpText, parseDemoArguments } from './arguments.js';
import { Cleanup } from './cleanup.js';
import { DemoError, Interruption, reasonOf } from './errors.js';
import { wantsColour } from './report.js';
import { runDemo } from './run.js';

process.exitCode = await main(process.argv.slice(2));

/** Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const controller = abortOnSignals();
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

/** A second signal changes nothing: the end is under way, and each of its steps is bounded. */
function abortOnSignals(): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) return;
      process.stdout.write('\nStopping …\n');
      controller.abort(new Interruption(signal));
    });
  }
  return controller;
}

function explain(error: unknown): number {
  if (error instanceof Interruption) return error.exitCode;
  // Errors with a code say all that is to know; any other is a bug, and its stack tells where.
  const isExplained = error instanceof Error && 'code' in error;
  complain(isExplained || !(error instanceof Error) ? reasonOf(error) : (error.stack ?? error.message));
  return error instanceof DemoError && error.code === 'BAD_ARGUMENT' ? 2 : 1;
}

function complain(text: string): void {
  const line = `demo: ${text}`;
  process.stderr.write(
    `${wantsColour(process.stderr, process.env) ? styleText('red', line, { stream: process.stderr }) : line}\n`,
  );
}
