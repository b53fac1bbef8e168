import { spawnSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Grant } from '../../src/domain/grant.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import { ledgerFile } from '../../src/app/paths.ts';
import { openSqliteLedger } from '../../src/store/sqlite/index.ts';
import { folder } from '../config/folder.ts';
import { OPS, sampleGrant } from '../contract/sample.ts';
import { keptLog } from '../store/scratch.ts';

const BIN = join(import.meta.dirname, '../../src/mintwarden.mjs');
const V3 = '/_matrix/client/v3';

/** A folder with a ledger of these grants, and the program in it. */
async function machine(...grants: readonly (Omit<Partial<Grant>, 'id'> & { id: string })[]) {
  const home = await folder();
  const file = ledgerFile(await home.load());
  await mkdir(dirname(file), { recursive: true });
  const now = Date.now();
  await using ledger = await openLedger(file);
  const live = { state: 'live', createdAt: now, expiresAt: now + 3_600_000 } as const;
  const excluded = [{ roomId: '!dm' as RoomId, why: 'dm', userId: null }] as never;
  await ledger.commit({ at: now, grants: grants.map((over) => sampleGrant({ ...live, ...over })), excluded });
  return {
    file,
    can: (...words: string[]) => {
      const done = spawnSync(process.execPath, [BIN, 'can', ...words, '--config', home.file], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '' },
      });
      return { status: done.status, out: done.stdout, err: done.stderr };
    },
    [Symbol.asyncDispose]: () => home[Symbol.asyncDispose](),
  };
}

async function openLedger(file: string) {
  const ledger = await openSqliteLedger({ file, log: keptLog() });
  return Object.assign(ledger, { [Symbol.asyncDispose]: () => ledger.close() });
}

test('explains from the ledger alone, without service or homeserver, and changes no byte of it', async () => {
  const all = { v: 1, rooms: 'all', can: ['read'] } as const;
  const silent = { v: 1, rooms: [OPS, '!dm' as RoomId], can: ['read'] } as const;
  await using here = await machine(
    { id: '7F3K9Q' },
    { id: '8F3K9Q', scope: all },
    { id: '9F3K9Q', scope: silent },
  );
  const before = await readFile(here.file);
  const yes = here.can('7f3k', 'get', `https://x.example${V3}/rooms/${OPS}/messages?dir=b`);
  expect({ status: yes.status, err: yes.err }).toEqual({ status: 0, err: '' });
  expect(yes.out).toContain('Yes. The gateway would let it pass');
  expect(yes.out).toContain('Asked of the homeserver: GET');
  const no = here.can('7F3K9Q', 'PUT', `${V3}/rooms/${OPS}/send/m.room.message/1`, '{"body":"hello"}');
  expect(no).toMatchObject({ status: 1, out: expect.stringContaining('Missing: the capability `send`') });
  expect(here.can('8F3K9Q', 'GET', `${V3}/rooms/!elsewhere/messages`)).toMatchObject({
    status: 0,
    out: expect.stringContaining('not known here'),
  });
  expect(here.can('9F3K9Q', 'GET', `${V3}/rooms/!dm/messages`)).toMatchObject({
    status: 1,
    out: expect.stringContaining('not among the rooms in scope'),
  });
  expect(await readFile(here.file)).toEqual(before);
}, 30_000);

test('what is missing or too much is said: status 2', async () => {
  await using here = await machine({ id: '7F3K9Q' });
  expect(here.can('7F3K9Q', 'GET')).toMatchObject({
    status: 2,
    err: expect.stringContaining('PATH is missing.'),
  });
  expect(here.can('7F3K9Q', 'GET', '/x', '{}', 'more')).toMatchObject({
    status: 2,
    err: expect.stringContaining('"more" is one word too many'),
  });
}, 30_000);
