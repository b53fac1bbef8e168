import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensurePythonEnv } from './python-env.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mintwarden-python-'));
  await writeFile(join(dir, 'requirements.txt'), 'nothing==1.0\n');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A shell script in the place of Python: `$*` are its arguments, and every run is written down. */
async function fakePython(name: string, script: string): Promise<string> {
  const path = join(dir, name);
  await writeFile(path, `#!/bin/sh\necho "${name} $*" >> ${join(dir, 'runs')}\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const runs = async (): Promise<string> => readFile(join(dir, 'runs'), 'utf8').catch(() => '');

/** Makes an environment whose interpreter notes what it is asked and sleeps a little while installing. */
const goodPython = (): Promise<string> =>
  fakePython(
    'good',
    `case "$*" in
      "-c "*) echo 3.12;;
      "-m venv "*) mkdir -p "$3/bin"; printf '#!/bin/sh\\necho "env $*" >> ${dir}/runs\\ncase "$*" in *install*) sleep 0.1; test ! -e ${dir}/broken;; esac\\n' > "$3/bin/python"; chmod +x "$3/bin/python";;
      *) exit 1;;
    esac`,
  );

const ensure = (pythons: string[]): Promise<unknown> =>
  ensurePythonEnv({ dir: join(dir, 'env'), requirementsPath: join(dir, 'requirements.txt'), pythons });

const installs = async (): Promise<number> =>
  (await runs()).split('\n').filter((line) => line.includes('pip install')).length;

test('installs once, also when two ask at the same time', async () => {
  const python = await goodPython();
  await Promise.all([ensure([python]), ensure([python])]);
  await ensure([python]);
  expect(await installs()).toBe(1);
  expect(await readdir(dir)).not.toContain('env.lock');
});

test('starts again after an interrupted installation, and when the requirements change', async () => {
  const python = await goodPython();
  await writeFile(join(dir, 'broken'), '');
  await expect(ensure([python])).rejects.toThrow('could not be installed from PyPI');
  await rm(join(dir, 'broken'));
  await ensure([python]);
  expect(await installs()).toBe(2);
  await writeFile(join(dir, 'requirements.txt'), 'nothing==2.0\n');
  await ensure([python]);
  expect(await installs()).toBe(3);
});

test('takes over the lock of a process that is gone', async () => {
  const python = await goodPython();
  await mkdir(join(dir, 'env.lock'));
  // Above the largest process id Linux gives.
  await writeFile(join(dir, 'env.lock/pid'), '4194305');
  await ensure([python]);
  expect(await installs()).toBe(1);
});

test('passes over a Python that does not run and one that is too old', async () => {
  const broken = await fakePython('broken-shim', 'exit 127');
  const old = await fakePython('old', 'echo 3.9');
  await ensure([broken, old, await goodPython()]);
  expect(await installs()).toBe(1);
});

test('says what to install when there is no Python, or only an old one', async () => {
  await expect(ensure([join(dir, 'none')])).rejects.toThrow(
    /Python 3\.10 or newer.*no Python was found.*apt install python3/,
  );
  const old = await fakePython('old', 'echo 3.9');
  await expect(ensure([old])).rejects.toThrow('old is 3.9');
});

test('says what to install when Python cannot make environments', async () => {
  // As on Debian without python3-venv; and no virtualenv either.
  const bare = await fakePython(
    'bare',
    'case "$*" in "-c "*) echo 3.12;; *) echo "ensurepip is not available"; exit 1;; esac',
  );
  const path = process.env['PATH'];
  process.env['PATH'] = '/bin:/usr/bin';
  try {
    await expect(ensure([bare])).rejects.toThrow(/apt install python3-venv[^]*ensurepip is not available/);
  } finally {
    process.env['PATH'] = path;
  }
});
