/** A project in which the package is installed as it is published, without a registry: packed, unpacked, and its dependencies linked. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../dev/docs/pages.js';

const run = promisify(execFile);

interface PackageFile {
  readonly bin: Readonly<Record<string, string>>;
}

/** Into `folder/node_modules`, with the commands that npm would put beside it. */
export async function installPacked(folder: string): Promise<void> {
  const modules = path.join(folder, 'node_modules');
  const bin = path.join(modules, '.bin');
  await mkdir(bin, { recursive: true });
  await unpack(folder, path.join(modules, 'forebay'));
  const names = (await readdir(path.join(root, 'node_modules'))).filter((name) => !name.startsWith('.'));
  await Promise.all(
    names.map((name) => symlink(path.join(root, 'node_modules', name), path.join(modules, name))),
  );
  const { default: packed } = (await import(path.join(modules, 'forebay/package.json'), {
    with: { type: 'json' },
  })) as { default: PackageFile };
  for (const [name, file] of Object.entries(packed.bin)) {
    const program = path.join(modules, 'forebay', file);
    await writeFile(path.join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, {
      mode: 0o755,
    });
  }
}

/** Of what is built: packing would build anew under the feet of the other tests. */
async function unpack(folder: string, target: string): Promise<void> {
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { cwd: root });
  await mkdir(target);
  const tarball = path.join(folder, stdout.trim());
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
}
