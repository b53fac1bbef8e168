/** A word for a POSIX shell, in single quotes. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A line for bash or zsh that asks for the token at a hidden prompt and tries it. The token goes from a
 * variable to curl's standard input by a builtin: it stands neither in the shell's history nor in `ps`.
 */
export function tryItLine(gatewayUrl: string): string {
  const url = shellWord(`${gatewayUrl}/_matrix/client/v3/account/whoami`);
  return `read -rs MWT && printf 'header = "Authorization: Bearer %s"\\n' "$MWT" | curl -sS -w '\\n' --config - ${url}; unset MWT`;
}
