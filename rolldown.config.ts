import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

/*
 * What `npm pack` puts into dist/: the program as JavaScript, and in it all that npm could not install right
 * elsewhere. Overrides count only in the root project: where Mintwarden is somebody's dependency,
 * matrix-bot-sdk would get the native encryption engine (a download at install) and the abandoned `request`,
 * not ours. So these stand in the bundle, and what is listed under `dependencies`, with no install script
 * among it, is all that is fetched.
 */

const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as {
  dependencies: Record<string, string>;
};
const runtime = new RegExp(
  `^(?:${Object.keys(dependencies)
    .map((name) => name.replaceAll('.', String.raw`\.`))
    .join('|')})(?:/|$)`,
);

/**
 * Files that others name by their address: as the source says it, and seen from dist/, which has no folders.
 */
const ADDRESSES: Readonly<Record<string, readonly [string, string]>> = {
  'src/app/gateway.ts': ['gateway-process.ts', './gateway-process.js'],
  'src/app/version.ts': ['../../package.json', '../package.json'],
  'src/gateway/filter-worker/filter-worker.ts': ['../filter-thread.ts', './filter-thread.js'],
};

/** Gives those addresses as they are in dist/. */
function addresses(): Plugin {
  const met = new Set<string>();
  return {
    name: 'addresses',
    transform(code, id) {
      const path = relative(import.meta.dirname, id);
      const address = ADDRESSES[path];
      if (address === undefined) {
        if (path.startsWith('src/') && code.includes('import.meta.')) {
          throw new Error(
            `${path} names a file by where it stands itself, which is elsewhere in dist/. See rolldown.config.ts.`,
          );
        }
        return null;
      }
      const [written, there] = address;
      const parts = code.split(`'${written}'`);
      if (parts.length !== 2) throw new Error(`${path} does not name '${written}' exactly once.`);
      met.add(path);
      return parts.join(`'${there}'`);
    },
    buildEnd(error) {
      const missed = Object.keys(ADDRESSES).filter((path) => !met.has(path));
      if (error === undefined && missed.length > 0)
        throw new Error(`No longer part of the program: ${missed.join(', ')}`);
    },
  };
}

/** Leaves out of matrix-bot-sdk a web server and a database client, which nobody here has a use for. */
function withoutTheRest(): Plugin {
  return {
    name: 'without-the-rest',
    transform(code, id) {
      if (!id.endsWith('/matrix-bot-sdk/lib/index.js')) return null;
      return code.replaceAll(
        /^.*require\("\.\/(?:appservice\/|storage\/SimplePostgres|strategies\/Appservice).*$/gm,
        '',
      );
    },
  };
}

/** Writes down the licences of others whose work is in the bundle. */
function licences(): Plugin {
  return {
    name: 'licences',
    async writeBundle({ dir = 'dist' }, bundle) {
      const folders = new Set<string>();
      for (const part of Object.values(bundle)) {
        if (part.type !== 'chunk') continue;
        for (const id of part.moduleIds) {
          const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replace(/^\0/, ''))?.[0];
          if (folder !== undefined) folders.add(folder);
        }
      }
      const texts = await Promise.all([...folders].toSorted().map((folder) => licenceOf(folder)));
      await writeFile(
        join(dir, 'LICENCES.txt'),
        `Work of others in this folder, and its terms.\n\n${texts.join('\n')}`,
      );
    },
  };
}

async function licenceOf(folder: string): Promise<string> {
  const facts = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  let text = '';
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENSE-MIT.txt', 'license', 'README.md']) {
    text ||= await readFile(join(folder, name), 'utf8').catch(() => '');
  }
  if (text === '' && facts.license === undefined)
    throw new Error(`${facts.name} says nothing of its licence.`);
  return `${'='.repeat(80)}\n${facts.name} ${facts.version} (${facts.license ?? 'see below'})\n\n${text.trim()}\n`;
}

export default defineConfig({
  input: {
    main: 'src/main.ts',
    'gateway-process': 'src/app/gateway-process.ts',
    'filter-thread': 'src/gateway/filter-thread.ts',
  },
  platform: 'node',
  external: [/^node:/, runtime],
  plugins: [addresses(), withoutTheRest(), licences()],
  output: {
    dir: 'dist',
    format: 'esm',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  },
});
