import { basename, relative } from 'node:path';

/** How this process was started, as Node and npm tell it. */
type Invocation = {
  readonly script: string;
  readonly folder: string;
  readonly npmScript: string | undefined;
};

/** How to call the program again, for sentences that say what to run next: the way it was called now. */
export function argv0({ script, folder, npmScript }: Invocation): string {
  if (npmScript === 'npx') return 'npx mintwarden';
  if (npmScript === 'mintwarden') return 'npm run mintwarden --';
  if (basename(script) !== 'mintwarden.mjs') return 'mintwarden';
  const near = relative(folder, script);
  return `node ${near.startsWith('..') ? script : near}`;
}
