import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { command, mint, takeDelivery, takeNotice } from '../harness/control-room.ts';
import { puppetTokens } from '../harness/puppet-tokens.ts';
import { findSecrets } from '../harness/secrets-grep.ts';
import { setTheStage, type Stage } from '../harness/stage.ts';
import { matrixRequest } from '../harness/matrix-http.ts';

let stage: Stage;
let grant = '';
let token = '';
const secrets: string[] = [];

beforeAll(async () => {
  stage = await setTheStage({ config: { 'gateway.processes': 2 } });
});
afterAll(() => stage[Symbol.asyncDispose]());

/** On a connection of its own, so that it falls to any of the processes. */
async function ask(
  path: string,
  method = 'GET',
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${stage.mintwarden.gatewayUrl}/_matrix/client/v3${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, connection: 'close' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const inRoom = (below: string) => `/rooms/${encodeURIComponent(stage.ops)}/${below}`;
const many = async (count: number) => {
  const statuses: number[] = [];
  for (let at = 0; at < count; at++) statuses.push((await ask(inRoom('messages?dir=b&limit=5'))).status);
  return new Set(statuses);
};

function gatewayPids(): readonly number[] {
  const pid = String(stage.mintwarden.pid);
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number)
    .filter(isAlive);
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gateway-process');
  } catch {
    return false;
  }
}

/** How many requests each process has answered, by the service's own log. */
async function answered(): Promise<ReadonlyMap<unknown, number>> {
  const counts = new Map<unknown, number>();
  for (const text of (await readFile(stage.mintwarden.logPath, 'utf8')).split('\n')) {
    if (!text.startsWith('{')) continue;
    const line = JSON.parse(text) as { event: string; process?: number };
    if (line.event === 'request') counts.set(line.process, (counts.get(line.process) ?? 0) + 1);
  }
  return counts;
}

test('a token serves at all processes, writes through any of them, and nothing is sent twice', async () => {
  grant = await mint(stage, `!mint @alice --rooms ${stage.ops} --can read,send --ttl 1h`);
  await takeNotice(stage, stage.alice, grant);
  ({ token } = await takeDelivery(stage, stage.olivia, grant));
  secrets.push(token, ...puppetTokens(stage.synapse).map((one) => one.token));
  expect(gatewayPids()).toHaveLength(2);
  expect(await many(40)).toEqual(new Set([200]));
  const events = new Set<unknown>();
  for (let at = 0; at < 6; at++) {
    const sent = await ask(inRoom('send/m.room.message/only-once'), 'PUT', {
      msgtype: 'm.text',
      body: 'once',
    });
    expect(sent.status).toBe(200);
    events.add(sent.body['event_id']);
  }
  expect(events.size).toBe(1);
  const page = await matrixRequest<{ chunk: { content: { body?: string } }[] }>(
    stage.synapse.baseUrl,
    'GET',
    `/_matrix/client/v3${inRoom('messages?dir=b&limit=50')}`,
    { token: stage.users.alice.accessToken },
  );
  expect(page.chunk.filter(({ content }) => content.body === 'once')).toHaveLength(1);
  const counts = await answered();
  expect(new Set(counts.keys())).toEqual(new Set([1, 2]));
});

test('one of them dies: the token is good all the same, and soon there are two again', async () => {
  const [victim] = gatewayPids();
  // Never 0: that would be this process and all its kin.
  if (victim === undefined) throw new Error('there is no gateway process');
  process.kill(victim, 'SIGKILL');
  await expect.poll(() => gatewayPids().filter((pid) => pid !== victim).length, { timeout: 10_000 }).toBe(2);
  await expect.poll(() => many(10), { timeout: 10_000 }).toEqual(new Set([200]));
});

test('the bot dies: so does the gateway, and both come back', async () => {
  const pids = gatewayPids();
  await stage.mintwarden.kill();
  await expect.poll(() => pids.some(isAlive), { timeout: 2_000, interval: 20 }).toBe(false);
  await expect(ask(inRoom('messages?dir=b'))).rejects.toThrow('fetch failed');
  await stage.mintwarden.start();
  expect(await many(20)).toEqual(new Set([200]));
});

test('revoked, it is refused by all of them, and what hangs at any of them ends', async () => {
  const { body } = await ask('/sync?timeout=0');
  const since = encodeURIComponent(String(body['next_batch']));
  const open = Array.from({ length: 12 }, async () => ask(`/sync?timeout=30000&since=${since}`));
  await expect
    .poll(() => stage.mintwarden.metric('mintwarden_gateway_open_long_polls'), { timeout: 5_000 })
    .toBe(12);
  const begun = performance.now();
  await command(stage, `!revoke ${grant}`);
  for (const ended of await Promise.all(open))
    expect(ended).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } });
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(await many(40)).toEqual(new Set([401]));
});

test('it ends in order, and no secret stands anywhere', async () => {
  const pids = gatewayPids();
  expect(pids).toHaveLength(2);
  for (const pid of pids)
    expect(
      readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8'),
    ).not.toMatch(/syt_|mwt_/);
  await stage.mintwarden.stop();
  expect(pids.some(isAlive)).toBe(false);
  expect((await readFile(stage.mintwarden.logPath, 'utf8')).trimEnd().split('\n').at(-1)).toContain('ended');
  expect(secrets.length).toBeGreaterThanOrEqual(2);
  expect(await findSecrets(secrets, { paths: [stage.mintwarden.dir], texts: {} })).toEqual([]);
});
