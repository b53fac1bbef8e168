import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { searchWhatWasSaid, tokenShapes, wordsIn } from './tell-tales.ts';

const SYNAPSE_TOKEN = 'syt_YWxpY2U_JIaEOKsvZHfZpAIKdWVa_4MaEpa';
const SCOPED = `mwt_7F3K9Q_${'aB3'.repeat(16)}x`;

test('tokens are known by their shape', () => {
  expect(tokenShapes(['all is well', 'mwt_7F3K9Q', 'syt_[hidden]'])).toEqual([]);
  expect(tokenShapes([`x ${SCOPED} y`])).toEqual(['a scoped token']);
  expect(tokenShapes(['fine', `{"a":"${SYNAPSE_TOKEN}"}`])).toEqual(['a token of Synapse']);
});

test('a word is found by itself, not in an id', () => {
  expect(wordsIn('{"room":"!abOpscd:x","name":"Ops"}', ['Ops'])).toEqual(['Ops']);
  for (const id of ['!abOpscd:x', '!Ops-cd', '$Ops', '@Ops:x', 'a-Ops', 'DevOps', 'Ops_1'])
    expect(wordsIn(id, ['Ops'])).toEqual([]);
});

/** A homeserver's database with a room and a message, and a service's log. */
async function scene(log: string, page = ''): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tell-tales-'));
  const databasePath = join(folder, 'homeserver.db');
  const database = new DatabaseSync(databasePath);
  database.exec(
    'CREATE TABLE rooms (room_id TEXT); CREATE TABLE access_tokens (token TEXT); CREATE TABLE event_json (json TEXT)',
  );
  database.prepare('INSERT INTO access_tokens VALUES (?)').run(SYNAPSE_TOKEN);
  database.prepare('INSERT INTO rooms VALUES (?)').run('!ops:test');
  const add = (sender: string, type: string, content: object) =>
    database.prepare('INSERT INTO event_json VALUES (?)').run(JSON.stringify({ type, sender, content }));
  add('@alice:test', 'm.room.name', { name: 'Ops' });
  add('@alice:test', 'm.room.message', { body: 'Backups ran at 03:00.' });
  add('@bot:test', 'm.room.message', { body: 'The homeserver does not answer.' });
  database.close();
  const logPath = join(folder, 'log');
  await writeFile(logPath, log);
  const timeline = () => [
    { sender: '@bot:test', content: { body: `Here: ${SCOPED}` } },
    { sender: '@olivia:test', content: { body: 'the secret text of Olivia' } },
  ];
  const found = await searchWhatWasSaid({
    synapse: { databasePath },
    mintwarden: { botUserId: '@bot:test', logPath, monitoringUrl: 'http://127.0.0.1:9', pages: [page] },
    clients: [{ timeline } as unknown as Parameters<typeof searchWhatWasSaid>[0]['clients'][number]],
  });
  await rm(folder, { recursive: true });
  return found;
}

test('nothing is found where nothing is', async () => {
  expect(await scene('{"event":"The homeserver does not answer.","grant":"7F3K9Q"}')).toEqual([]);
});

test.each([
  ['the name of a room', 'minted for Ops (1 room)', 'a name or a text of 3 characters in the log'],
  ['an unencrypted text', 'sent "Backups ran at 03:00."', 'a name or a text of 21 characters in the log'],
  ['a decrypted text', 'got the secret text of Olivia', 'a name or a text of 25 characters in the log'],
  ['a token of the homeserver', Buffer.from(SYNAPSE_TOKEN).toString('hex'), 'a token (hex) in the log'],
  ['a delivered token', Buffer.from(SCOPED).toString('base64'), 'a token (base64) in the log'],
])('%s in the log is found', async (_, log, finding) => {
  expect(await scene(log)).toContain(finding);
});

test('and in a page of metrics', async () => {
  expect(await scene('', 'x{room="Ops"} 1')).toEqual(['a name or a text of 3 characters in the metrics']);
});
