import { readFile } from 'node:fs/promises';

/**
 * The version that runs. The address is known to `rolldown.config.ts`: what this is compiled to lies
 * elsewhere.
 */
export async function ownVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
