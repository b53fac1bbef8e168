import { fileFlags, type Model } from './model.ts';

/** The script for bash (3.2 and later, without bash-completion). */
export function bashScript(model: Model): string {
  const cases = [...model].map(
    ([after, choices]) => `    '${after}') choices='${choices.map(({ word }) => word).join(' ')}' ;;`,
  );
  return `# Completion of mintwarden for bash. To use it: source <(mintwarden completion bash)
_mintwarden() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" after='' said=0 at choices=''
  for ((at = 1; at < COMP_CWORD && said < 2; at++)); do
    case "\${COMP_WORDS[at]}" in
      -*) ;;
      *) after="$after\${after:+ }\${COMP_WORDS[at]#!}"; said=$((said + 1)) ;;
    esac
  done
  case "$previous" in
    ${fileFlags(model).join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for at in "$after" "\${after%% *}"; do
    case "$at" in
  ${cases.join('\n  ')}
      *) continue ;;
    esac
    break
  done
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
}
complete -o filenames -F _mintwarden mintwarden
`;
}
