import type { Model } from './model.ts';

/** Text in single quotation marks, in which fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, String.raw`\$&`)}'`;
}

/** The script for fish. */
export function fishScript(model: Model): string {
  const lines = [...model].flatMap(([after, choices]) =>
    choices.map(({ word, help, file }) => {
      const what = word.startsWith('--')
        ? `-l ${word.slice(2)}${file ? ' -r -F' : ''}`
        : `-a ${quoted(word)}`;
      return `complete -c mintwarden -n ${quoted(`__mintwarden_after ${quoted(after)}`)} ${what} -d ${quoted(help)}`;
    }),
  );
  return `# Completion of mintwarden for fish. To use it: mintwarden completion fish | source
function __mintwarden_after
    set -l said
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; or set -a said (string replace -r '^!' '' -- $word)
    end
    set -l after (string join ' ' -- $said[1..2])
    test "$after" = "$argv[1]"
end
complete -c mintwarden -f
${lines.join('\n')}
`;
}
