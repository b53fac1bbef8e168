import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GrantId, RoomId } from '../../src/domain/ids.ts';
import type { Scope } from '../../src/domain/scope.ts';
import type { Gateway } from '../../src/gateway/server.ts';
import { type GrantDesk, grantDesk } from '../gateway/support/grant-desk.ts';
import { startTestGateway } from '../gateway/support/test-gateway.ts';
import { freePort } from '../harness/free-port.ts';
import { type Nginx, nginxPrograms, startNginx } from '../harness/nginx.ts';
import { type Person, registerPerson, roomPath, V3 } from './support/person.ts';
import { type Proxy, startProxy } from '../harness/proxy.ts';
import { sharedSynapse } from '../harness/shared-synapse.ts';
import { addGrant } from './support/scoped-gateway.ts';
import { isPending, until } from '../support/wait.ts';

/* config/nginx.conf unchanged except for addresses, certificates and the log's file. */

const programs = await nginxPrograms();

let alice: Person;
let ops: RoomId;
let secret: RoomId;
let desk: GrantDesk;
let gateway: Gateway;
/** Notes what nginx sends to the homeserver. The gateway asks the homeserver itself, past this. */
let homeserver: Proxy;
let grants = 0;
/** Long-polls that are open at the gateway. */
let polls = 0;

/** A scoped token of alice's, for the room ops unless said otherwise. */
function tokenFor(scope: Partial<Scope> = {}): { token: string; id: GrantId } {
  const id = `7F3K${String(++grants).padStart(2, '0')}` as GrantId;
  const token = `mwt_${id}_scoped${grants}`;
  addGrant(desk, {
    token,
    id,
    subject: alice.userId,
    rooms: [ops],
    scope: { can: ['read', 'send', 'upload'], ...scope },
  });
  return { token, id };
}

/** The example with what it says to replace replaced. */
async function exampleFor(port: number): Promise<string> {
  const example = await readFile(join(import.meta.dirname, '../../config/nginx.conf'), 'utf8');
  const lines = example.split('\n').flatMap((line) => {
    if (/^\s*(?:listen|ssl_certificate)/.test(line))
      return line.includes('listen 443') ? [`listen 127.0.0.1:${port};`] : [];
    if (/^\s*access_log/.test(line)) return ['access_log access.log matrix;'];
    return [
      line
        .replace('127.0.0.1:8008', `127.0.0.1:${homeserver.port}`)
        .replace('127.0.0.1:8009', `127.0.0.1:${gateway.port}`),
    ];
  });
  // What an operator has to look at is what was looked at here.
  expect(
    example
      .split('\n')
      .filter((line) => /\breplace\b/.test(line) && !/^\s*(?:#|listen|ssl_|access_log|server)/.test(line)),
  ).toEqual([]);
  return lines.join('\n');
}

beforeAll(async () => {
  const synapse = sharedSynapse();
  alice = await registerPerson(synapse, 'alice');
  ops = await alice.createRoom();
  secret = await alice.createRoom();
  desk = grantDesk(await alice.upstreamToken());
  homeserver = await startProxy(synapse.baseUrl);
  gateway = await startTestGateway({
    homeserverUrl: synapse.baseUrl,
    accessControl: desk,
    trustedProxies: ['127.0.0.1/32'],
    observer: { answered: () => undefined, polling: (change) => void (polls += change) },
  });
});

afterAll(async () => {
  await gateway?.close();
  await homeserver?.[Symbol.asyncDispose]();
});

describe.each(programs)('behind %s', (program) => {
  let nginx: Nginx;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    nginx = await startNginx(program, await exampleFor(port), port);
  });
  afterAll(async () => {
    await nginx?.[Symbol.asyncDispose]();
  });

  type Asked = { status: number; body: Record<string, unknown>; atHomeserver: number };

  /** Asks through nginx; `atHomeserver`: how often nginx went there for it. */
  async function ask(
    token: string | null,
    method: string,
    path: string,
    init: RequestInit & { duplex?: 'half' } = {},
  ): Promise<Asked> {
    const before = homeserver.requests.length;
    const headers = {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(init.headers as Record<string, string>),
    };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...init, headers });
    const body = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    return { status: answer.status, body, atHomeserver: homeserver.requests.length - before };
  }

  /** Sends these header lines as they are. */
  async function raw(path: string, ...lines: string[]): Promise<Asked> {
    const before = homeserver.requests.length;
    const socket = connect(port, '127.0.0.1');
    socket.write(
      [`GET ${path} HTTP/1.1`, 'Host: matrix.example.org', 'Connection: close', ...lines, '', ''].join(
        '\r\n',
      ),
      'latin1',
    );
    const answer = await text(socket);
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
    const json = /\{.*\}/s.exec(answer)?.[0] ?? '{}';
    return {
      status,
      body: JSON.parse(json) as Record<string, unknown>,
      atHomeserver: homeserver.requests.length - before,
    };
  }

  const joined = `${V3}/joined_rooms`;

  test('a scoped token goes to the gateway, an ordinary one and none to the homeserver', async () => {
    const { token } = tokenFor();
    expect(await ask(token, 'GET', joined)).toEqual({
      status: 200,
      body: { joined_rooms: [ops] },
      atHomeserver: 0,
    });
    const own = await ask(alice.accessToken, 'GET', joined);
    expect([own.status, own.atHomeserver, (own.body['joined_rooms'] as string[]).toSorted()]).toEqual([
      200,
      1,
      [ops, secret].toSorted(),
    ]);
    expect(await ask(null, 'GET', '/_matrix/client/versions')).toMatchObject({
      status: 200,
      atHomeserver: 1,
    });
    expect(await ask(null, 'GET', `${V3}/login`)).toMatchObject({ status: 200, atHomeserver: 1 });
    expect(
      await ask(null, 'OPTIONS', joined, { headers: { origin: 'https://client.example' } }),
    ).toMatchObject({ atHomeserver: 1 });
    expect(await ask(token, 'GET', '/_mintwarden/v1/token')).toMatchObject({ status: 200, atHomeserver: 0 });
    expect(await ask(null, 'GET', '/_mintwarden/v1/token')).toMatchObject({ status: 401, atHomeserver: 0 });
  });

  test('the admin API is closed to everybody, federation reaches the homeserver', async () => {
    const { token } = tokenFor();
    for (const given of [token, alice.accessToken, sharedSynapse().adminToken]) {
      expect(await ask(given, 'GET', '/_synapse/admin/v2/users')).toMatchObject({
        status: 404,
        atHomeserver: 0,
      });
      expect(await ask(given, 'GET', '/_matrix/..%2f_synapse/admin/v2/users')).not.toMatchObject({
        status: 200,
      });
      expect(
        await raw('/_matrix/../_synapse/admin/v2/users', `Authorization: Bearer ${given}`),
      ).toMatchObject({ status: 404, atHomeserver: 0 });
    }
    expect(await ask(null, 'GET', '/_matrix/federation/v1/version')).toMatchObject({ atHomeserver: 1 });
  });

  test('it syncs and sends, and the wait of a long poll ends with the grant', async () => {
    const { token, id } = tokenFor();
    const sent = await ask(token, 'PUT', roomPath(ops, `send/m.room.message/${id}`), {
      body: JSON.stringify({ msgtype: 'm.text', body: 'through nginx' }),
    });
    expect(sent).toMatchObject({
      status: 200,
      body: { event_id: expect.stringMatching(/^\$/) as string },
      atHomeserver: 0,
    });
    // Each with another wait: Synapse keeps the answer to a question of the same user for two minutes.
    const first = await ask(token, 'GET', `${V3}/sync?timeout=${grants}`);
    expect(JSON.stringify(first.body)).toContain('through nginx');
    expect(JSON.stringify(first.body)).not.toContain(secret);
    const begun = performance.now();
    const waits = ask(
      token,
      'GET',
      `${V3}/sync?timeout=25000&since=${String(first.body['next_batch'])}`,
    ).catch(() => null);
    await until(() => polls === 1);
    expect(await isPending(waits)).toBe(true);
    desk.end(id);
    const end = await waits;
    expect(end === null || end.status >= 401).toBe(true);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(await ask(token, 'GET', joined)).toMatchObject({
      status: 401,
      body: { errcode: 'M_UNKNOWN_TOKEN' },
      atHomeserver: 0,
    });
  });

  test('a file of 5 MB passes in both directions, and comes back as it went', async () => {
    const { token } = tokenFor({ can: ['read', 'upload', 'media-any'] });
    const bytes = Buffer.alloc(5 * 1_048_576, 'not compressible? ');
    for (const given of [token, alice.accessToken]) {
      const headers = { 'content-type': 'application/octet-stream' };
      const up = await ask(given, 'POST', '/_matrix/media/v3/upload?filename=big.bin', {
        body: bytes,
        headers,
      });
      expect(up).toMatchObject({ status: 200, atHomeserver: given === token ? 0 : 1 });
      const file = String(up.body['content_uri']).slice('mxc://'.length);
      const down = await fetch(`http://127.0.0.1:${port}/_matrix/client/v1/media/download/${file}`, {
        headers: { authorization: `Bearer ${given}` },
      });
      expect(down.status).toBe(200);
      expect(Buffer.from(await down.arrayBuffer()).equals(bytes)).toBe(true);
    }
    const tooLarge = await ask(token, 'POST', '/_matrix/media/v3/upload', {
      body: Buffer.alloc(51 * 1_048_576),
    }).catch(() => ({ status: 413 }));
    expect(tooLarge.status).toBe(413);
  });

  test.each([
    ['lower case', (t: string) => [`Authorization: bearer ${t}`]],
    ['upper case', (t: string) => [`AUTHORIZATION: BEARER ${t}`]],
    ['more blanks', (t: string) => [`Authorization:   Bearer   ${t}  `]],
    ['a tab', (t: string) => [`Authorization: Bearer\t${t}`]],
    ['a tab before', (t: string) => [`Authorization:\tBearer ${t}`]],
    ['no scheme', (t: string) => [`Authorization: ${t}`]],
    ['a comma', (t: string) => [`Authorization: Bearer ,${t}`]],
    ['another scheme', (t: string) => [`Authorization: Token ${t}`]],
    [
      'the ordinary token first',
      (t: string, own: string) => [`Authorization: Bearer ${own}`, `Authorization: Bearer ${t}`],
    ],
    [
      'the scoped token first',
      (t: string, own: string) => [`Authorization: Bearer ${t}`, `Authorization: Bearer ${own}`],
    ],
    ['an empty header first', (t: string) => ['Authorization:', `Authorization: Bearer ${t}`]],
    ['both in one header', (t: string, own: string) => [`Authorization: Bearer ${own}, Bearer ${t}`]],
    [
      'a name with an underscore',
      (t: string, own: string) => [`Authorization: Bearer ${t}`, `X_Authorization: Bearer ${own}`],
    ],
    ['a folded line', (t: string) => ['Authorization: Bearer', ` ${t}`]],
  ])('%s: nobody gets more than the scope, and nothing is said for another', async (_, lines) => {
    const { token } = tokenFor();
    const answer = await raw(joined, ...lines(token, alice.accessToken));
    // As the scoped token, or not at all; never as alice herself, whose token stood beside it.
    if (answer.status === 200) expect(answer.body).toEqual({ joined_rooms: [ops] });
    else {
      expect([400, 401]).toContain(answer.status);
      expect(JSON.stringify(answer.body)).not.toContain('joined_rooms');
    }
  });

  test.each([
    ['access_token=', ''],
    ['timeout=0&access_token=', ''],
    ['%61ccess_token=', ''],
    ['access%5Ftoken=', ''],
    ['access_token=', '%6d'],
  ])('a scoped token in the address (%s, %s) is refused by the gateway', async (name, letter) => {
    const { token } = tokenFor();
    const written = letter === '' ? token : token.replace('m', letter);
    expect(await raw(`${joined}?${name}${written}`)).toMatchObject({
      status: 401,
      body: { errcode: 'M_MISSING_TOKEN' },
      atHomeserver: 0,
    });
    // And beside an ordinary one it is not passed over.
    const both = await raw(`${joined}?${name}${written}`, `Authorization: Bearer ${alice.accessToken}`);
    expect(both).toMatchObject({ status: 401, atHomeserver: 0 });
    const logged = await nginx.logged();
    expect(logged).toContain(joined);
    expect(logged).not.toMatch(/scoped\d/);
  });

  test('an ordinary token with the letters inside stays the homeserver’s', async () => {
    for (const token of ['syt_mwt_abc_def', 'syt_YWxpY2Umwt_x_y', 'xmwt_7F3K9Q_a']) {
      const answer = await raw(joined, `Authorization: Bearer ${token}`);
      expect(answer).toMatchObject({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' }, atHomeserver: 1 });
    }
  });

  test('where a request comes from is said by nginx alone', async () => {
    const elsewhere = tokenFor({ from: ['192.0.2.0/24'] });
    const here = tokenFor({ from: ['127.0.0.1/32'] });
    for (const lines of [
      [],
      ['X-Forwarded-For: 192.0.2.7'],
      ['X-Forwarded-For: 192.0.2.7', 'X-Forwarded-For: 192.0.2.8'],
      ['X-Forwarded-For: 192.0.2.7, 127.0.0.1'],
      ['x_forwarded_for: 192.0.2.7'],
      ['Forwarded: for=192.0.2.7'],
      ['X-Real-IP: 192.0.2.7'],
      ['Connection: close, X-Forwarded-For', 'X-Forwarded-For: 192.0.2.7'],
    ]) {
      expect([
        lines,
        (await raw(joined, `Authorization: Bearer ${elsewhere.token}`, ...lines)).status,
      ]).toEqual([lines, 403]);
      expect([lines, (await raw(joined, `Authorization: Bearer ${here.token}`, ...lines)).status]).toEqual([
        lines,
        200,
      ]);
    }
    await raw(joined, `Authorization: Bearer ${alice.accessToken}`, 'X-Forwarded-For: 192.0.2.7');
    expect(homeserver.requests.at(-1)?.headers['x-forwarded-for']).toBe('127.0.0.1');
  });
});
