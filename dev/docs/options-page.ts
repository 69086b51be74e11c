/** docs/options.md: every option of the entry points, from the types and their docstrings. */
import type { ApiItem } from '../api/names.js';
import type { EntryPoint } from '../api/report.js';
import { code, escaped, oneLine, readDocstring } from './docstring.js';

interface Section {
  readonly title: string;
  /** Interfaces, in the order of the page. */
  readonly of: readonly string[];
}

/** Interfaces of options that are in none are at the end. */
const sections: readonly Section[] = [
  { title: 'connect', of: ['ConnectOptions', 'CacheOptions', 'L1Options'] },
  {
    title: 'Stores: record',
    of: ['ModelRecordOptions', 'CustomRecordOptions', 'RecordCacheOptions', 'StoreOptions', 'BufferOptions'],
  },
  { title: 'Stores: counter', of: ['RecordCounterOptions', 'ModelCounterOptions', 'CustomCounterOptions'] },
  { title: 'Stores: computed', of: ['ComputedOptions', 'RefreshOptions', 'WarmOptions'] },
  { title: 'Stores: writer', of: ['WriterOptions'] },
  { title: 'A write', of: ['WriteOptions', 'WriteValueOptions', 'WritePatternOptions', 'SetOptions'] },
  { title: 'A read', of: ['ReadValueOptions', 'ReadPatternOptions'] },
  { title: 'Dead letters', of: ['DeadLettersOptions'] },
  {
    title: 'Workers',
    of: [
      'AppWorkerOptions',
      'WriteBehindOptions',
      'SchedulerServiceOptions',
      'ChangesOptions',
      'BoardOptions',
    ],
  },
  { title: 'Schedules', of: ['WarmSchedule', 'FunctionSchedule', 'ScheduleTimes'] },
  { title: 'Commands of your own', of: ['WarmCommandOptions'] },
  { title: 'Prisma', of: ['PrismaAdapterOptions', 'ForebayExtensionOptions'] },
  { title: 'Metrics', of: ['MetricsOptions'] },
];

/** The interfaces of options that an app can meet, by name. */
function optionInterfaces(entries: ReadonlyMap<string, EntryPoint>): ReadonlyMap<string, ApiItem> {
  const all = [...entries.values()].flatMap(({ names }) => names);
  const known = sections.flatMap(({ of }) => of);
  return new Map(
    all
      .filter(({ kind, name }) => kind === 'Interface' && (name.endsWith('Options') || known.includes(name)))
      .map((one) => [one.name, one]),
  );
}

export function optionsPageText(entries: ReadonlyMap<string, EntryPoint>): string {
  const found = optionInterfaces(entries);
  const listed = sections.flatMap(({ of }) => of);
  const further = { title: 'Further ones', of: [...found.keys()].filter((name) => !listed.includes(name)) };
  const all = further.of.length === 0 ? sections : [...sections, further];
  const parts = all.map(({ title, of }) => {
    const tables = of.flatMap((name) => {
      const one = found.get(name);
      return one === undefined ? [] : [tableOf(one)];
    });
    return `## ${title}\n\n${tables.join('\n')}`;
  });
  return `# Options

Made from the types by \`npm run docs:reference\`; do not edit it here.

Whatever has a default can be left out. Names say their unit: \`…Ms\` is ms, \`…Max\` a limit. Variables of the environment: [configuration](configuration.md). The types
themselves: [reference](reference/forebay.md).

${parts.join('\n')}`;
}

function tableOf({ name, docComment, members = [] }: ApiItem): string {
  const rows = members.map(rowOf);
  const about = escaped(oneLine(readDocstring(docComment).summary));
  return `### ${name}\n\n${about}\n\n| option | type | default | |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function rowOf(member: ApiItem): string {
  const text = oneLine(readDocstring(member.docComment).summary);
  const found = /\s*\bDefault:? (.+?)\.(?=\s|$)/.exec(text);
  const about = found === null ? text : text.replace(found[0], '').trim();
  const fallback = found?.[1] ?? (member.isOptional ? '' : 'required');
  return `| \`${member.name}\` | ${code(typeOf(member))} | ${cell(fallback)} | ${cell(about)} |`;
}

function cell(text: string): string {
  return escaped(text).replaceAll('|', '\\|');
}

function typeOf({ kind, excerptTokens = [], propertyTypeTokenRange: range }: ApiItem): string {
  const tokens = range ? excerptTokens.slice(range.startIndex, range.endIndex) : excerptTokens;
  const text = tokens.map((token) => token.text).join('');
  return kind === 'MethodSignature' ? text.replace(/;$/, '') : text;
}
