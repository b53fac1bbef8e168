import { spawnSync } from 'node:child_process';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { batchWrites } from '../../src/telemetry/batched-writes.ts';

test('the lines of one turn are written together, at its end', async () => {
  const written: string[] = [];
  const lines = batchWrites({ write: (text) => void written.push(text) });
  lines.write('a\n');
  await Promise.resolve();
  lines.write('b\n');
  expect(written).toEqual([]);
  await turn();
  expect(written).toEqual(['a\nb\n']);
  lines.write('c\n');
  await turn();
  expect(written).toEqual(['a\nb\n', 'c\n']);
});

test('what is flushed is not written again, and much is not kept', async () => {
  const written: string[] = [];
  const lines = batchWrites({ write: (text) => void written.push(text) });
  lines.write('a\n');
  lines.flush();
  expect(written).toEqual(['a\n']);
  const long = `${'x'.repeat(65_536)}\n`;
  lines.write(long);
  expect(written).toEqual(['a\n', long]);
  await turn();
  expect(written.length).toBe(2);
});

test('no write is so long that another process could write into the middle of a line', async () => {
  const written: string[] = [];
  const lines = batchWrites({ write: (text) => void written.push(text) });
  const all = Array.from({ length: 200 }, (_, at) => `${String(at)} ${'ä'.repeat(60)}\n`);
  for (const line of all) lines.write(line);
  await turn();
  expect(written.join('')).toBe(all.join(''));
  expect(written.length).toBeGreaterThan(5);
  for (const text of written) {
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
    expect(text.endsWith('\n')).toBe(true);
  }
});

const LOG = fileURLToPath(new URL('../../src/telemetry/log.ts', import.meta.url));

test.each([
  ['it exits by itself', ''],
  ['it is told to exit', 'process.exit(3);'],
  ['nobody catches an error', 'throw new TypeError("x");'],
  ['it is killed after a warning', 'log.warn("careful"); process.kill(process.pid, "SIGKILL");'],
  [
    'it is killed a turn later',
    'setImmediate(() => setImmediate(() => process.kill(process.pid, "SIGKILL"))); await new Promise(() => {});',
  ],
])('a line is written when %s', (_, end) => {
  const code = `const { createLog } = await import(${JSON.stringify(LOG)}); const log = createLog({ level: 'info', pretty: false });
    log.info('one'); log.info('two'); ${end}`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  expect(stderr.match(/"event":"(?:one|two)"/g)).toEqual(['"event":"one"', '"event":"two"']);
});

test.each([
  ['the disk is full', '2>/dev/full'],
  ['it is closed', '2>&-'],
  ['nobody reads it any more', '2> >(true)'],
])('a log that cannot be written stops nobody: %s', (_, redirection) => {
  const code = `const { createLog } = await import(${JSON.stringify(LOG)}); const log = createLog({ level: 'info', pretty: false });
    for (let round = 0; round < 50; round++) {
      for (let line = 0; line < 1_000; line++) log.info('one', { text: 'x y '.repeat(20) });
      await new Promise(setImmediate);
    }
    log.error('two');
    console.log('still here', process.memoryUsage().rss < 200e6);`;
  const script = `${JSON.stringify(process.execPath)} --input-type=module -e "$CODE" ${redirection}`;
  const { stdout } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    env: { ...process.env, CODE: code },
  });
  expect(stdout).toBe('still here true\n');
});
