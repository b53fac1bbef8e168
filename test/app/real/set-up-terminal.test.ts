import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/index.ts';
import { matrixRequest } from '../../harness/matrix-http.ts';
import { answerWith, startProxy } from '../../harness/proxy.ts';
import { sharedSynapse } from '../../harness/shared-synapse.ts';
import { uniqueName } from '../../harness/synapse-users.ts';
import { atTerminal, type TerminalResult, type TerminalStep } from '../../harness/terminal.ts';

const MAIN = join(import.meta.dirname, '../../../src/mintwarden.mjs');
const ENTER = '\r';
const QUESTIONS = {
  homeserver: 'Where does Synapse answer',
  token: 'Access token',
  publicUrl: 'reach the gateway',
  admins: 'Who may give',
};
const synapse = sharedSynapse();
let parent: string;
let dir: string;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'mintwarden-terminal-'));
  dir = join(parent, 'etc');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

/** `init` with accounts that no other test has. */
function init(steps: readonly TerminalStep[], ...more: string[]): Promise<TerminalResult> {
  const names = ['--bot', uniqueName('bot'), '--issuer', uniqueName('issuer')];
  return atTerminal([MAIN, 'init', '--dir', dir, ...names, ...more], steps, { cwd: parent });
}

const type = (until: string, answer: string): TerminalStep => ({ until, type: answer + ENTER });
const nothingIsThere = () => expect(readdir(dir)).rejects.toMatchObject({ code: 'ENOENT' });
const sessionsOf = async (userId: string): Promise<unknown> =>
  (
    await matrixRequest(synapse.baseUrl, 'GET', `/_synapse/admin/v2/users/${userId}/devices`, {
      token: synapse.adminToken,
    })
  )['total'];

test('asks what it needs, shows what it will do, and ends with doctor and the next three steps', async () => {
  const olivia = await synapse.uniqueUser('olivia');
  const { status, screen } = await init([
    type(QUESTIONS.homeserver, synapse.baseUrl),
    type(QUESTIONS.token, synapse.adminToken),
    type(QUESTIONS.publicUrl, 'https://tokens.example.org'),
    type(QUESTIONS.admins, `@${olivia.localpart}`),
    type('Go on?', 'yes'),
  ]);
  expect(status).toBe(0);
  expect(screen).not.toContain(synapse.adminToken);
  expect(screen).toMatch(
    /init will:[^]*make +the account @bot[^]*lift +the rate limit[^]*server administrator[^]*control room[^]*invite +@olivia/,
  );
  expect(screen).toMatch(/doctor looked[^]*Next: 1\. [^]*start[^]*Then 2\. accept[^]*Then 3\. [^]*doctor/);
  expect(screen.indexOf('Made the account')).toBeGreaterThan(screen.indexOf('Go on?'));
  expect(await loadConfig(join(dir, 'bot.yaml'), {})).toMatchObject({ admins: [olivia.userId] });
});

test('every wrong answer is told at once, with what to do, and asked for again; a token that is wrong never shows', async () => {
  const olivia = await synapse.uniqueUser('olivia');
  await using hidden = await startProxy(synapse.baseUrl);
  hidden.on({ path: '/_synapse/' }, answerWith(404, '<html>'));
  await using page = await startProxy(synapse.baseUrl);
  page.on(() => true, answerWith(200, '<html>'));
  await using mas = await startProxy(synapse.baseUrl);
  mas.on({ path: '/v1/auth_metadata' }, answerWith(200, { issuer: 'https://auth.example.org/' }));
  const { status, screen } = await init([
    type(QUESTIONS.homeserver, ''),
    type('This needs an answer', 'matrix.example.org'),
    type('Write it with http:// or https:// before it: http://matrix.example.org', 'http://127.0.0.1:9'),
    type('cannot be reached', hidden.baseUrl),
    type('name the address at which Synapse itself listens', page.baseUrl),
    type('is no homeserver', mas.baseUrl),
    type('not supported yet', synapse.baseUrl),
    type(QUESTIONS.token, ''),
    type('Without a token', 'syt_mistyped_secret'),
    type('Take a fresh one', olivia.accessToken),
    type('register_new_matrix_user', `${synapse.adminToken}x\u007f`),
    type(QUESTIONS.publicUrl, 'tokens'),
    type('Write for example', 'http://tokens.example.org'),
    type('https', 'https://tokens.example.org'),
    type(QUESTIONS.admins, '@nobody-of-that-name'),
    type('Look for a typing mistake', '@you:elsewhere.example'),
    type('is not on test.local', olivia.userId),
    type('Go on?', 'perhaps'),
    type('Answer yes or no', 'no'),
  ]);
  expect(status).toBe(0);
  for (const secret of [synapse.adminToken, olivia.accessToken, 'syt_mistyped_secret'])
    expect(screen).not.toContain(secret);
  expect(screen).toMatch(/Nothing was changed\.\s*$/);
  await nothingIsThere();
});

test.each([
  ['Ctrl-C at a question', '\u0003', QUESTIONS.homeserver],
  ['the end of the input at a question', '\u0004', QUESTIONS.homeserver],
  ['Ctrl-C in the middle of the hidden token', 'syt_half\u0003', QUESTIONS.token],
  ['Ctrl-C at the last question', '\u0003', 'Go on?'],
])('%s: nothing is changed', async (_what, typed, at) => {
  const olivia = await synapse.uniqueUser('olivia');
  const all = [
    type(QUESTIONS.homeserver, synapse.baseUrl),
    type(QUESTIONS.token, synapse.adminToken),
    type(QUESTIONS.publicUrl, 'https://tokens.example.org'),
    type(QUESTIONS.admins, olivia.userId),
  ];
  const before = all.slice(0, at === 'Go on?' ? all.length : all.findIndex(({ until }) => until === at));
  const { status, screen } = await init([...before, { until: at, type: typed }]);
  expect(status).toBe(130);
  expect(screen).toMatch(/Stopped\. Nothing was changed\.\s*$/);
  expect(screen).not.toContain('syt_');
  await nothingIsThere();
});

test('an earlier hidden answer does not come back by the arrow key', async () => {
  const up = '\u001b[A';
  const { screen } = await init([
    type(QUESTIONS.homeserver, synapse.baseUrl),
    type(QUESTIONS.token, synapse.adminToken),
    { until: QUESTIONS.publicUrl, type: up + up + ENTER },
    { until: 'This needs an answer', type: '\u0003' },
  ]);
  expect(screen).not.toContain(synapse.adminToken);
});

test('an administrator can log in instead of giving a token; that session ends with init', async () => {
  const root = await synapse.uniqueUser('root', { admin: true });
  const flags = [
    '--homeserver',
    synapse.baseUrl,
    '--public-url',
    'https://tokens.example.org',
    '--admins',
    root.localpart,
  ];
  const before = await sessionsOf(root.userId);
  const { status, screen } = await init(
    [type('Password of', 'wrong password'), type('could not log in', root.password), type('Go on?', 'y')],
    ...flags,
    '--admin-user',
    root.localpart,
  );
  expect(status).toBe(0);
  expect(screen).not.toMatch(new RegExp(`wrong password|${root.password}`));
  expect(await sessionsOf(root.userId)).toBe(before);
});

test('in a script it goes on unasked, and --dry-run changes nothing', async () => {
  const olivia = await synapse.uniqueUser('olivia');
  const token = join(parent, 'token');
  await writeFile(token, synapse.adminToken, { mode: 0o600 });
  const flags = [
    '--homeserver',
    synapse.baseUrl,
    '--public-url',
    'https://tokens.example.org',
    '--admins',
    olivia.userId,
  ];
  const dry = await init([], ...flags, '--admin-token-file', token, '--dry-run');
  expect(dry).toMatchObject({
    status: 0,
    screen: expect.stringMatching(/init will:[^]*Nothing was changed \(--dry-run\)/),
  });
  await nothingIsThere();
  const yes = await init([], ...flags, '--admin-token-file', token, '--yes');
  expect(yes.screen).toContain('Wrote ');
});
