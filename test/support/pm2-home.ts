/** A pm2 daemon of a test's own, and the command `forebay deploy` for it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { builtProgram } from './program.js';

const pm2 = createRequire(import.meta.url).resolve('pm2/bin/pm2');
const forebay = builtProgram('src/cli/bin.ts');

export interface Listed {
  readonly id: number;
  readonly name: string;
  readonly pid: number;
  readonly status: string;
  readonly restarts: number;
}

export interface DeployEnd {
  readonly exitCode: number | null;
  /** What it wrote, to standard output and error. */
  readonly text: string;
}

export class Pm2Home {
  /** For files of the test, too. */
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.#env = {
      ...process.env,
      PM2_HOME: path.join(folder, 'pm2'),
      PM2_DISABLE_VERSION_CHECK: 'true',
      ...env,
    };
  }

  static async make(env: NodeJS.ProcessEnv = {}): Promise<Pm2Home> {
    // Short, for it holds Unix sockets, whose paths may have about 100 characters.
    return new Pm2Home(await mkdtemp(path.join(tmpdir(), 'forebay-pm2-')), env);
  }

  /** `whenSaid`: a word, and what is done once it was written; it is given what interrupts the deploy. */
  async deploy(
    args: readonly string[],
    whenSaid?: readonly [word: string, act: (interrupt: () => void) => void],
  ): Promise<DeployEnd> {
    const child = spawn(process.execPath, [forebay, 'deploy', ...args], { env: this.#env, cwd: this.folder });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        const isNew = whenSaid && !text.includes(whenSaid[0]);
        text += data;
        if (isNew && text.includes(whenSaid[0])) whenSaid[1](() => child.kill('SIGINT'));
      });
    const [exitCode] = await once(child, 'close');
    return { exitCode, text };
  }

  async list(): Promise<Listed[]> {
    const { stdout } = await this.#pm2('jlist', '--silent');
    const line = stdout.split('\n').find((one) => one.startsWith('[')) ?? '[]';
    const listed = JSON.parse(line) as (Omit<Listed, 'id'> & {
      pm_id: number;
      pm2_env: { status: string; restart_time: number };
    })[];
    return listed.map(({ pm_id, name, pid, pm2_env }) => ({
      id: pm_id,
      name,
      pid,
      status: pm2_env.status,
      restarts: pm2_env.restart_time,
    }));
  }

  async remove(): Promise<void> {
    await this.#pm2('kill');
    await rm(this.folder, { recursive: true });
  }

  #pm2(...args: string[]): Promise<{ stdout: string }> {
    return promisify(execFile)(process.execPath, [pm2, ...args], {
      env: this.#env,
      maxBuffer: 64 * 1024 * 1024,
    });
  }
}
