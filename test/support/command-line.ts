/** Runs the command `forebay` within the test's process, or as one of its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { main } from '../../src/cli/main.js';
import { readConfig } from '../../src/config.js';
import { builtProgram } from './program.js';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CommandOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly isTTY?: boolean;
  /** Told of each text as it is written. */
  onOut?(text: string): void;
}

export async function command(args: readonly string[], options: CommandOptions): Promise<Said> {
  const { env, signal = new AbortController().signal, isTTY = false, onOut } = options;
  const said = { out: '', err: '' };
  const output = (name: 'out' | 'err') => ({
    isTTY,
    write(text: string) {
      said[name] += text;
      if (name === 'out') onOut?.(text);
    },
  });
  const io = { out: output('out'), err: output('err'), config: () => readConfig(env), signal };
  const code = await main(args, io);
  return { code, ...said };
}

/** As a user's shell starts it. */
export async function commandProcess(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Said> {
  const all = [builtProgram('src/cli/bin.ts'), ...args];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, all, {
      env: { ...process.env, ...env },
    });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}
