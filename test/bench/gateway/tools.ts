import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The Debian package of each command the benchmark calls. */
const PACKAGES = { nginx: 'nginx', wrk: 'wrk', taskset: 'util-linux' } as const;

/** A command of the operating system. */
type Tool = keyof typeof PACKAGES;

/** Where each command lies; null where it is missing, which was then said. */
export type Tools = Readonly<Record<Tool, string | null>>;

/** Looks for the commands on PATH, and says which package has one that is missing. */
export async function findTools(say: (line: string) => void): Promise<Tools> {
  const [nginx, wrk, taskset] = await Promise.all([
    find('nginx', say),
    find('wrk', say),
    find('taskset', say),
  ]);
  return { nginx, wrk, taskset };
}

async function find(tool: Tool, say: (line: string) => void): Promise<string | null> {
  // Debian keeps servers in /usr/sbin, which is not on everybody's PATH.
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']) {
    const path = join(folder, tool);
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  say(`${tool} was not found: apt-get install ${PACKAGES[tool]}. What needs it is skipped.`);
  return null;
}
