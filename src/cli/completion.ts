/** Scripts that complete the commands and flags of `forebay` in a shell. */
import type { Command } from './command.js';

export const shells: readonly string[] = ['bash', 'zsh', 'fish'];

export function completion(shell: string, commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell as 'bash' | 'zsh' | 'fish'](commands);
}

function flagsOf({ flags }: Command): string[] {
  return [...flags.map(({ name }) => `--${name}`), '--help'];
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => `    ${command.name}) words="${flagsOf(command).join(' ')}" ;;`);
  return `_forebay() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(({ name }) => name).join(' ')} --help"; fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _forebay forebay
`;
}

function zsh(commands: readonly Command[]): string {
  const names = commands.map(({ name, about }) => `    ${quoted(`${name}:${about}`)}`);
  const cases = commands.map((command) => `    ${command.name}) compadd -- ${flagsOf(command).join(' ')} ;;`);
  return `#compdef forebay
_forebay() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "\${words[2]}" in
${cases.join('\n')}
  esac
}
compdef _forebay forebay
`;
}

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap(({ name, about, flags }) => [
    `complete -c forebay -f -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
    ...flags.map(
      (flag) =>
        `complete -c forebay -n '__fish_seen_subcommand_from ${name}' -l ${flag.name}${flag.value === undefined ? '' : ' -r'} -d ${quoted(flag.about)}`,
    ),
  ]);
  return `${lines.join('\n')}\ncomplete -c forebay -l help -d 'this text'\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
