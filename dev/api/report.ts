/** The report of the public types: what each entry point of the package exports, as text, so that a change of it shows in a diff. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { type ApiItem, namesOf } from './names.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** Where the reports are checked in. */
export const reportFolder = path.join(root, 'docs/api');
/** Within the project, so that the types of packages are found. */
const scratch = path.join(root, 'dist/api', String(process.pid));

/** What api-extractor's own compiler has to know to read declarations. */
const compilerOptions = {
  target: 'es2022',
  lib: ['es2023'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
};

interface PackageFile {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
}

/** Entry points by the names of their reports: `.` is forebay, `./worker` is worker. */
export function entryPoints(): ReadonlyMap<string, string> {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as PackageFile;
  const entries = Object.entries(exports).flatMap(([name, target]): [string, string][] =>
    typeof target === 'string' ? [] : [[name === '.' ? 'forebay' : name.slice(2), target.types]],
  );
  return new Map(entries);
}

/** What is known of an entry point. */
export interface EntryPoint {
  /** Its types, as text. */
  readonly report: string;
  /** Its names with their docstrings, for pages. */
  readonly names: readonly ApiItem[];
}

/** The entry points of the source as it is now, by name. @throws Error when it does not compile, or one can't be analysed */
export function analyseEntryPoints(): ReadonlyMap<string, EntryPoint> {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    emitDeclarations();
    const configs = [...entryPoints()].map(([name, types]) => [name, configOf(name, types)] as const);
    const [[, first]] = configs as [(typeof configs)[number]];
    const additionalEntryPoints = configs.map(([, config]) => config.mainEntryPointFilePath);
    // One compiler reads the declarations for all.
    const compilerState = CompilerState.create(first, { additionalEntryPoints });
    return new Map(configs.map(([name, config]) => [name, analyse(name, config, compilerState)]));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function emitDeclarations(): void {
  const config = {
    extends: path.join(root, 'tsconfig.build.json'),
    compilerOptions: { emitDeclarationOnly: true, outDir: path.join(scratch, 'dist'), rootDir: root },
    include: [path.join(root, 'src')],
  };
  const file = path.join(scratch, 'tsconfig.json');
  writeFileSync(file, JSON.stringify(config));
  execFileSync(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', file]);
}

function configOf(name: string, types: string): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObjectFullPath: path.join(root, 'api-extractor.json'),
    packageJsonFullPath: path.join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: path.join(scratch, types),
      compiler: { overrideTsconfig: { compilerOptions, files: [path.join(scratch, types)] } },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: scratch,
        reportTempFolder: scratch,
        includeForgottenExports: true,
      },
      docModel: {
        enabled: true,
        apiJsonFilePath: path.join(scratch, `${name}.api.json`),
        includeForgottenExports: true,
      },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        tsdocMessageReporting: { default: { logLevel: 'none' } },
        extractorMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  } as unknown as Parameters<typeof ExtractorConfig.prepare>[0]);
}

function analyse(name: string, config: ExtractorConfig, compilerState: CompilerState): EntryPoint {
  const errors: string[] = [];
  Extractor.invoke(config, {
    localBuild: true,
    compilerState,
    messageCallback: (message) => {
      if (message.logLevel === 'error') errors.push(message.text);
      message.handled = true;
    },
  });
  if (errors.length > 0) throw new Error(`${name} can't be analysed: ${errors.join('; ')}`);
  const model = readFileSync(path.join(scratch, `${name}.api.json`), 'utf8');
  return {
    report: readFileSync(path.join(scratch, `${name}.api.md`), 'utf8'),
    names: namesOf(JSON.parse(model) as ApiItem),
  };
}
