/** What the command line understands, refuses and suggests, before anything is connected. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { commandPage, commandPageText } from '../../../dev/command-page.js';
import { commands } from '../../../src/cli/commands.js';
import { shells } from '../../../src/cli/completion.js';
import { editsBetween, suggestion } from '../../../src/cli/suggestion.js';
import { command } from '../../support/command-line.js';

const run = (...args: string[]) => command(args, { env: { REDIS_URL: 'redis://127.0.0.1:1' } });

describe('help', () => {
  it.each([['--help'], ['-h'], ['help']])('%s names every command', async (flag) => {
    const { code, out } = await run(flag);
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: forebay <command>/);
    for (const { name, about } of commands)
      expect(out).toMatch(new RegExp(`^  ${name}\\b.*${literal(about)}$`, 'm'));
  });

  it.each(commands.map(({ name }) => name))(
    'of %s has its flags and an example that is understood',
    async (name) => {
      const { code, out } = await run(name, '--help');
      expect(code).toBe(0);
      expect(await run('help', name)).toMatchObject({ out });
      const one = commands.find((it) => it.name === name);
      for (const flag of one?.flags ?? []) expect(out).toContain(`--${flag.name}`);
      expect(one?.examples.length).toBeGreaterThan(0);
    },
  );

  it('is the page docs/command-line.md, as `npm run docs:commands` writes it', () => {
    expect(readFileSync(commandPage, 'utf8')).toBe(commandPageText());
  });
});

describe('what is not understood is refused, with exit code 2', () => {
  test.each<[string[], RegExp]>([
    [[], /^No command is given\.\n\nUsage/],
    [['dance'], /^Unknown command: dance\.\n\nUsage/],
    [['stauts'], /^Unknown command: stauts\. Did you mean status\?/],
    [['dead-leters'], /Did you mean dead-letters\?/],
    [['check', '--jsn'], /^Unknown flag --jsn\. Did you mean --json\?\n\nUsage: forebay check /],
    [['status', '--yaml'], /^Unknown flag --yaml\.\n/],
    [['status', '-j'], /^Unknown flag -j\./],
    [['status', 'now'], /^There are too many words\./],
    [['status', '--json=yes'], /^--json takes no value\./],
    [['run'], /^SCHEDULE is missing\./],
    [['where'], /^STORE:ID is missing\./],
    [['refused', '--since'], /^--since needs DURATION\./],
    [['refused', '--since', 'yesterday'], /^"yesterday" is no duration/],
    [['flush', '--wait', '--timeout', '3'], /^"3" is no duration/],
    [['discard', 'clients', '--all'], /^Give either WHICH or --all\./],
    [['replay'], /^Give either WHICH or --all\./],
    [['completion', 'tcsh'], /^SHELL is one of bash, zsh, fish\./],
    [['check', '--stores', 'nothing.js'], /^nothing\.js can't be loaded: /],
    [['check', '--stores', 'src/keys.ts'], /^src\/keys\.ts exports no stores: /],
  ])('%j', async (args, err) => {
    expect(await run(...args)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(err) });
  });

  it('whatever it is', async () => {
    const known = new Set([...commands.map(({ name }) => name), 'help']);
    const words = fc
      .string({ minLength: 1 })
      .filter((word) => !known.has(word) && !/^(--help|-h)$/.test(word));
    await fc.assert(
      fc.asyncProperty(words, async (word) => {
        expect((await run(word)).code).toBe(2);
      }),
    );
  });
});

test('an environment that can not be used is exit code 1, and names the variable', async () => {
  const said = await command(['status'], { env: { REDIS_URL: 'http://x' } });
  expect(said).toMatchObject({ code: 1, err: expect.stringContaining('REDIS_URL') });
});

describe('a suggestion', () => {
  it('is the nearest name', () => {
    expect(suggestion('staus', ['status', 'start'])).toBe(' Did you mean status?');
    expect(suggestion('complet', ['completion', 'check'])).toBe(' Did you mean completion?');
    expect(suggestion('xyz', ['status'])).toBe('');
  });

  it('counts edits as a metric does', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editsBetween(a, b)).toBe(editsBetween(b, a));
        expect(editsBetween(a, b) === 0).toBe(a === b);
        expect(editsBetween(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('completion', () => {
  const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

  it.each(shells)('for %s names every command and flag', async (shell) => {
    const { out } = await run('completion', shell);
    for (const { name, flags } of commands) {
      expect(out).toContain(name);
      for (const flag of flags) expect(out).toContain(flag.name);
    }
  });

  it.each(shells.filter(isThere))('is a script that %s can read', async (shell) => {
    const { out } = await run('completion', shell);
    expect(spawnSync(shell, ['-n'], { input: out })).toMatchObject({ status: 0 });
  });

  const complete = async (...words: string[]): Promise<string[]> => {
    const { out } = await run('completion', 'bash');
    const line = ['forebay', ...words].map((word) => `'${word}'`).join(' ');
    const script = `${out}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _forebay; echo "\${COMPREPLY[*]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ');
  };

  it('completes commands and their flags in bash', async () => {
    expect(await complete('st')).toEqual(['status']);
    expect(await complete('re')).toEqual(['refused', 'replay', 'resume']);
    expect(await complete('status', '--w')).toEqual(['--watch']);
    expect(await complete('flush', '--')).toEqual(['--wait', '--timeout', '--help']);
  });
});

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
