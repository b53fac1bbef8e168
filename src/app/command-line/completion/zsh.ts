import { type Choice, fileFlags, type Model } from './model.ts';

/**
 * One word and its help for `_describe`: a colon parts them, and so is escaped elsewhere; so are the shell's
 * quotation marks.
 */
function described({ word, help }: Choice): string {
  const plain = (text: string): string => text.replace(/[\\:]/g, String.raw`\$&`).replaceAll("'", "'\\''");
  return `'${plain(word)}:${plain(help)}'`;
}

/** The script for zsh: a function for its own completion system. */
export function zshScript(model: Model): string {
  const cases = [...model].map(
    ([after, choices]) => `    ('${after}') choices=(${choices.map(described).join(' ')}) ;;`,
  );
  return `#compdef mintwarden
# Completion of mintwarden for zsh. To use it: source <(mintwarden completion zsh), after compinit
_mintwarden() {
  local -a said choices
  local word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    [[ $word == -* || $#said -ge 2 ]] || said+=("\${word#!}")
  done
  case "\${words[CURRENT-1]}" in
    (${fileFlags(model).join('|')}) _files; return ;;
  esac
  for word in "\${said[*]}" "$said[1]"; do
    case "$word" in
  ${cases.join('\n  ')}
      (*) continue ;;
    esac
    break
  done
  _describe -o mintwarden choices
}
compdef _mintwarden mintwarden
`;
}
