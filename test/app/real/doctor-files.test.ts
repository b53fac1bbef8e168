import { chmod, copyFile, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteLedger } from '../../../src/store/sqlite/index.ts';
import { sampleGrant, sampleLease } from '../../contract/sample.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { silentLog } from '../../support/silent-log.ts';
import { doctorStage } from './support/doctor-stage.ts';

/** What doctor says of files, the ledger, the port and the disk, with the service stopped. */
const stage = await doctorStage(sharedSynapse());
const { scratch, mintwarden, config, look, broken, fixed, run, shell, configure, asItWas } = stage;

afterAll(() => stage[Symbol.asyncDispose]());

const state = (...more: string[]): string => join(mintwarden.dir, 'state', ...more);
const secrets = (...more: string[]): string => join(mintwarden.dir, 'secrets', ...more);
let backup: string;

beforeAll(async () => {
  await stage.start();
  await mintwarden.stop();
  backup = join(scratch, 'backup');
  await cp(mintwarden.dir, backup, { recursive: true });
});
const restore = (file: string): Promise<void> => copyFile(join(backup, file), join(mintwarden.dir, file));

test('it says so, and all else is well', async () => {
  const bad = (await look()).filter(({ severity }) => severity !== 'ok');
  expect(bad).toMatchObject([
    { id: 'service', severity: 'warn', command: expect.stringContaining('mintwarden start') as string },
  ]);
});

test('a secret that the group may read, or everybody; a folder that others may write to', async () => {
  const name = `${(await config()).issuer.user_id.slice(1).split(':')[0] ?? ''}.token`;
  const token = secrets(name);
  await chmod(token, 0o640);
  await run(
    await broken('secret-files', new RegExp(`group has access to .*${name.replace('.', '\\.')}`), 'warn'),
  );
  await fixed('secret-files');
  await chmod(token, 0o644);
  await run(await broken('configuration', /can be read by every user/));
  await fixed('configuration');
  await chmod(secrets('cross-signing.sealed'), 0o604);
  await run(await broken('secret-files', /Every user of this machine has access/));
  await fixed('secret-files');
  await chmod(secrets(), 0o770);
  await run(await broken('secret-files', /may write into/));
  await fixed('secret-files');
});

test('a state folder that others may look into, or write to', async () => {
  await chmod(state(), 0o755);
  await run(await broken('state-folder', /may look into/, 'warn'));
  await fixed('state-folder');
  await chmod(state(), 0o777);
  await run(await broken('state-folder', /may write into/));
  await fixed('state-folder');
});

test('the sealing key is lost, open to others, or another one', async () => {
  const key = secrets('sealing.key');
  await rename(key, join(scratch, 'key'));
  expect((await broken('sealing-key', /is lost/)).fix).toContain(`Put ${key} back`);
  await rename(join(scratch, 'key'), key);
  await fixed('sealing-key');
  await chmod(key, 0o640);
  await run(await broken('sealing-key', /Others on this machine can read/));
  await fixed('sealing-key');
  await writeFile(key, `${'A'.repeat(43)}\n`);
  expect((await broken('sealing-key', /secrets are sealed with [0-9a-f]{12}/)).fix).toMatch(
    /put the key [0-9a-f]{12} back/,
  );
  await restore('secrets/sealing.key');
  await fixed('sealing-key');
});

test('the saved identity is lost or damaged: the service saves it again', async () => {
  const file = secrets('cross-signing.sealed');
  const good = await readFile(file, 'utf8');
  await writeFile(file, good.replace(/.{8}\n$/, 'AAAAAAAA\n'), { mode: 0o600 });
  expect((await broken('seeds', /does not open/)).fix).toMatch(/^Move the file aside and restart/);
  await rm(file);
  expect((await broken('seeds', /not saved/)).fix).toMatch(/^Restart the service/);
  await mintwarden.start();
  await fixed('seeds');
  await mintwarden.stop();
});

test('the ledger is damaged', async () => {
  const file = state('ledger.sqlite');
  const bytes = await readFile(file);
  await copyFile(file, join(scratch, 'ledger'));
  for (const spoil of [
    (copy: Buffer) => copy.fill(0xa5, 4096, 4096 * 3),
    (copy: Buffer) => copy.fill(0, 0, 16),
    (copy: Buffer) => copy.subarray(0, 4096 * 2),
  ]) {
    await writeFile(file, spoil(Buffer.from(bytes)));
    expect((await broken('ledger-integrity', /is damaged/)).fix).toMatch(/restore the newest intact copy/);
  }
  await copyFile(join(scratch, 'ledger'), file);
  await fixed('ledger-integrity');
});

test.each([
  ['a time in it', `UPDATE audit SET event = json_set(event, '$.at', 1) WHERE seq = 1`],
  ['it is nonsense', `UPDATE audit SET event = 'x' WHERE seq = 1`],
  ['the last row is cut off', `DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)`],
])('the audit was changed: %s', async (_, change) => {
  const file = state('ledger.sqlite');
  await copyFile(file, join(scratch, 'ledger'));
  const db = new DatabaseSync(file);
  for (const { name } of db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit'`)
    .all()) {
    db.exec(`DROP TRIGGER ${String(name)}`);
  }
  const { changes } = db.prepare(change).run();
  db.close();
  expect(changes).toBe(1);
  try {
    expect((await broken('audit-chain', /row \d|not there|missing/i)).fix).toMatch(
      /restore a copy from before/,
    );
  } finally {
    await copyFile(join(scratch, 'ledger'), file);
  }
  await fixed('audit-chain');
});

test('an upstream token that a crash left behind; one that was sealed with another key', async () => {
  const file = state('ledger.sqlite');
  await copyFile(file, join(scratch, 'ledger'));
  const grant = sampleGrant({ id: 'AAAAA1', state: 'failed' });
  const lease = sampleLease({ id: 'l1', grantId: grant.id, state: 'orphan' });
  const ledger = await openSqliteLedger({ file, log: silentLog });
  await ledger.commit({ at: Date.now(), grants: [grant], leases: [lease] });
  expect((await broken('orphan-leases', /1 upstream tokens? may be alive/, 'warn')).fix).toMatch(
    /^Wait until they expire/,
  );
  await ledger.commit({
    at: Date.now(),
    leases: [{ ...lease, revision: 2, state: 'dead', sealed: 'v1.aaaaaaaaaaaa.x.y' }],
  });
  await fixed('orphan-leases');
  await broken('sealing-key', /secrets are sealed with aaaaaaaaaaaa/);
  await ledger.close();
  await copyFile(join(scratch, 'ledger'), file);
  await fixed('sealing-key');
});

test('something else has the port', async () => {
  const port = Number(new URL(mintwarden.gatewayUrl).port);
  const taken = createTcpServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  expect((await broken('gateway-listen', /EADDRINUSE/)).command).toContain(String(port));
  await new Promise((resolve) => taken.close(resolve));
  await fixed('gateway-listen');
});

test('the disk is nearly full', async ({ skip }) => {
  const small = join(scratch, 'small');
  await mkdir(small, { mode: 0o700 });
  const mounted = await shell(`mount -t tmpfs -o size=1m,mode=700 tmpfs '${small}'`).then(
    () => true,
    () => false,
  );
  skip(!mounted, 'mounting is not permitted here');
  try {
    await configure({ state_dir: small });
    await broken('disk-space', /Only \d MiB are free/);
    await shell(`mount -o remount,size=1g '${small}'`);
    await fixed('disk-space');
  } finally {
    await asItWas();
    await shell(`umount '${small}'`);
  }
});
