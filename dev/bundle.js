// What is published: each entry point, and what entry points share, as few files, with the small packages that forebay brings.
// Loading a hundred small ones took as long as ioredis.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = join(root, 'dist/src/');
/** A module finds its Lua, SQL and templates beside itself: in the folder where it stood before. */
const ownPlaces = {
  name: 'own places',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/, namespace: 'file' }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const place = JSON.stringify(relative(built, path).replaceAll('\\', '/'));
      return { contents: text.replaceAll('import.meta.url', `new URL(${place}, import.meta.url).href`) };
    });
  },
};

const { dependencies, peerDependencies, exports } = JSON.parse(
  await readFile(join(root, 'package.json'), 'utf8'),
);

/** What package.json exports, by the names of its published files; and the programs. */
const entryPoints = {
  ...Object.fromEntries(
    Object.values(exports)
      .filter(({ types }) => types)
      .map(({ types, default: file }) => [basename(file, '.js'), basename(types).replace('.d.ts', '.js')]),
  ),
  cli: 'cli/bin.js',
  generator: 'prisma-generator/bin.js',
  'cli/dev/embedded-postgres': 'cli/dev/embedded-postgres.js',
};

const { metafile } = await build({
  entryPoints: Object.fromEntries(
    Object.entries(entryPoints).map(([name, file]) => [name, `${built}${file}`]),
  ),
  outdir: join(root, 'dist/package'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: Object.keys({ ...dependencies, ...peerDependencies }),
  metafile: true,
  chunkNames: 'part-[hash]',
  logLevel: 'warning',
  plugins: [ownPlaces],
});

// Their licences ask for their notices.
const brought = new Set(
  Object.keys(metafile.inputs).flatMap(
    (file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
  ),
);
const notices = [...brought].sort().map(async (name) => {
  const folder = join(root, 'node_modules', name);
  const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) throw new Error(`${name} has no licence that could be shown.`);
  return `${name}\n\n${await readFile(join(folder, file), 'utf8')}`;
});
await writeFile(join(root, 'dist/package/THIRD-PARTY.txt'), (await Promise.all(notices)).join('\n---\n\n'));
