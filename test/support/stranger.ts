/**
 * Somebody who has a project with Prisma and nothing but the documentation: an empty folder, a terminal, and what
 * the page says to install. Commands are run by the shell as they stand; what this machine can't do of them is done
 * in another way, here and nowhere else.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { migrate } from '../../prisma/migrate.js';
import { installNamed, pack } from './packed.js';

/** npm adds this project's own programs to the tests' path: a stranger has none of them. */
const pathWithout = (part: string): string =>
  (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes(part))
    .join(path.delimiter);

/** `FIRST_HOUR_REGISTRY=1`: npm fetches what is installed, as it would for anybody. */
export const hasRegistry = process.env.FIRST_HOUR_REGISTRY === '1';

export class Stranger {
  readonly folder: string;
  readonly #databaseUrl: string;
  readonly #env: NodeJS.ProcessEnv;
  #dev: ChildProcess | undefined;

  private constructor(folder: string, databaseUrl: string, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.#databaseUrl = databaseUrl;
    this.#env = env;
  }

  /** @param machine what is set outside of the project */
  static async make(databaseUrl: string, machine: NodeJS.ProcessEnv): Promise<Stranger> {
    // Short, for pm2's home in it holds Unix sockets.
    const folder = await mkdtemp(path.join(tmpdir(), 'fb-hour-'));
    const env = {
      PATH: pathWithout('node_modules'),
      HOME: process.env.HOME,
      // A program that is not installed is missing: nothing is fetched for it.
      npm_config_offline: `${!hasRegistry}`,
      npm_config_update_notifier: 'false',
      PM2_HOME: path.join(folder, '.pm2'),
      PM2_DISABLE_VERSION_CHECK: 'true',
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      // `prisma generate` looks for an engine, which is downloaded, and runs none.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      ...machine,
    };
    return new Stranger(folder, databaseUrl, env);
  }

  async write(file: string, text: string): Promise<void> {
    await mkdir(path.dirname(path.join(this.folder, file)), { recursive: true });
    await writeFile(path.join(this.folder, file), text);
  }

  /** As npm does: what their packages need comes too, and their names are in package.json then. */
  async install(names: readonly string[]): Promise<void> {
    if (hasRegistry) return this.#fetch(names);
    const plain = names.map((name) => name.replace(/(?<=.)@.*$/, ''));
    await installNamed(this.folder, plain);
    const place = path.join(this.folder, 'package.json');
    const file = JSON.parse(await readFile(place, 'utf8')) as { dependencies?: Record<string, string> };
    const added = Object.fromEntries(plain.map((name) => [name, '*']));
    await writeFile(
      place,
      JSON.stringify({ ...file, dependencies: { ...file.dependencies, ...added } }, null, 2),
    );
  }

  /** What a command of the page writes to standard output. */
  async run(command: string): Promise<string> {
    if (command.startsWith('npm install ')) return this.#npmInstall(command);
    // Its engine has to be downloaded.
    if (command === 'npx prisma migrate deploy') return this.migrate();
    if (command === 'npx forebay dev') return this.#startDev();
    if (command.startsWith('npx pm2 start')) await this.endDev();
    // A person answers: yes. At the check a person reads what it finds of this machine's servers.
    if (command.startsWith('npx forebay init')) return this.#shell(`${command} --yes`);
    if (command.startsWith('npx forebay check')) return this.#shell(command, [0, 1]);
    if (command.startsWith('npx forebay get')) return this.#untilThere(command);
    return this.#shell(command);
  }

  async migrate(): Promise<string> {
    await migrate({ databaseUrl: this.#databaseUrl, folder: path.join(this.folder, 'prisma/migrations') });
    return '';
  }

  /** As Ctrl-C in its terminal: all of its processes get the signal, npx too, which does not say how they ended. */
  async endDev(): Promise<void> {
    const dev = this.#dev;
    this.#dev = undefined;
    if (dev?.pid === undefined || dev.exitCode !== null) return;
    const close = once(dev, 'close');
    process.kill(-dev.pid, 'SIGINT');
    await close;
  }

  async remove(): Promise<void> {
    await this.endDev();
    await this.#shell('npx pm2 kill', [0, 1]);
    await rm(this.folder, { recursive: true, maxRetries: 5 });
  }

  async #npmInstall(command: string): Promise<string> {
    await this.install(command.split(' ').slice(2));
    return '';
  }

  /** forebay itself is the one that was built. */
  async #fetch(names: readonly string[]): Promise<void> {
    const own = names.includes('forebay') ? [await pack(this.folder)] : [];
    await this.#shell(`npm install ${[...names.filter((name) => name !== 'forebay'), ...own].join(' ')}`);
  }

  async #startDev(): Promise<string> {
    await this.endDev();
    const dev = spawn('npx', ['forebay', 'dev'], {
      cwd: this.folder,
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#dev = dev;
    const said: string[] = [];
    for await (const line of createInterface({ input: dev.stdout })) {
      said.push(line);
      if (!line.includes('All run')) continue;
      dev.stdout.resume();
      return said.join('\n');
    }
    throw new Error(`forebay dev ended:\n${said.join('\n')}`);
  }

  /** "A moment later", for a person who looks again. */
  async #untilThere(command: string): Promise<string> {
    await expect.poll(() => this.#shell(command, [0, 1])).not.toBe('');
    return this.#shell(command);
  }

  /** @throws Error with all that it wrote, for an exit code that is not expected */
  async #shell(command: string, codes: readonly number[] = [0]): Promise<string> {
    const options = { cwd: this.folder, env: this.#env, maxBuffer: 16 * 1024 * 1024 };
    try {
      return (await promisify(execFile)('sh', ['-c', command], options)).stdout;
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      if (codes.includes(code)) return stdout;
      throw new Error(`${command} ended with ${code}:\n${stdout}\n${stderr}`, { cause: error });
    }
  }
}
