import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { glob, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { freePort } from '../harness/free-port.ts';
import type { JsClient } from '../harness/js-client.ts';
import { startJsClient } from '../harness/js-client.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { ensurePythonEnv } from '../harness/python-env.ts';
import { startSynapse, type Synapse } from '../harness/synapse.ts';
import { ROOT } from './blocks.ts';
import { makeSandbox, type Sandbox } from './sandbox.ts';

/** What the fake model of the agent's example answers. */
export const MODEL_SAYS = 'Two things: disk 2 is at 71 %.';

/** The world that the pages speak of: example.org with its people and rooms. Mintwarden is not there yet. */
export interface World extends AsyncDisposable {
  synapse: Synapse;
  sandbox: Sandbox;
  you: JsClient;
  alice: JsClient;
  bob: JsClient;
  ops: string;
  gatewayUrl: string;
  /** A page's text with the addresses of this world in it. */
  real(text: string): string;
  /** The control room, once the configuration names it. */
  controlRoom(): Promise<string>;
}

/**
 * Makes it: a Synapse called example.org; you, alice, bob, helper and whatsappbot; the rooms #ops and #diary
 * of alice's.
 */
export async function makeWorld(): Promise<World> {
  await using cleanup = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'mw-docs-'));
  cleanup.defer(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));
  const [{ python }, pythonPath, port] = await Promise.all([ensurePythonEnv(), mautrix(), freePort()]);
  const synapse = cleanup.use(await startSynapse({ serverName: 'example.org' }));
  const people = ['you', 'alice', 'bob', 'helper', 'whatsappbot'] as const;
  const users = Object.fromEntries(
    await Promise.all(people.map(async (name) => [name, await synapse.registerUser(name)] as const)),
  );
  const client = async (name: string): Promise<JsClient> =>
    cleanup.use(await startJsClient(synapse, users[name] as never));
  const [you, alice, bob] = await Promise.all([client('you'), client('alice'), client('bob')]);

  const room = (name: string, invite: readonly string[]): Promise<string> =>
    alice.createRoom({
      name,
      encrypted: false,
      invite: [...invite],
      more: { room_alias_name: name.toLowerCase() },
    });
  const ops = await room('Ops', [bob.userId, '@helper:example.org']);
  await room('Diary', []);
  await bob.join(ops);
  const join_ = `/_matrix/client/v3/join/${encodeURIComponent(ops)}`;
  await matrixRequest(synapse.baseUrl, 'POST', join_, {
    token: users['helper']?.accessToken ?? '',
    body: {},
  });
  for (const body of ['Backups ran at 03:00.', 'Disk 2 is at 71 %.']) {
    await alice.sendPlaintext(ops, 'm.room.message', { msgtype: 'm.text', body });
  }

  const gatewayUrl = `http://127.0.0.1:${String(port)}`;
  const modelUrl = await fakeModel(cleanup);
  const sandbox = await makeSandbox(
    home,
    { python, pythonPath },
    { MINTWARDEN_ADMIN_TOKEN: synapse.adminToken },
  );
  const atEnd = cleanup.move();
  return {
    synapse,
    sandbox,
    you,
    alice,
    bob,
    ops,
    gatewayUrl,
    real: (text) =>
      text
        .replaceAll(
          '--public-url http://127.0.0.1:8009',
          `--public-url ${gatewayUrl} --listen 127.0.0.1:${String(port)}`,
        )
        .replaceAll(/https:\/\/tokens\.example\.org|http:\/\/127\.0\.0\.1:8009/g, gatewayUrl)
        .replaceAll('http://127.0.0.1:8008', synapse.baseUrl)
        .replaceAll('http://127.0.0.1:8080', modelUrl)
        .replaceAll('/var/lib/mintwarden', join(home, 'mintwarden'))
        .replaceAll('npm run mintwarden --', `npm --silent --prefix '${ROOT}' run mintwarden --`),
    controlRoom: async () =>
      (parse(await readFile(join(home, 'mintwarden/bot.yaml'), 'utf8')) as { control_room: string })
        .control_room,
    [Symbol.asyncDispose]: () => atEnd.disposeAsync(),
  };
}

/** Where Python finds mautrix, which is installed once into `.cache`, pinned by hash. */
async function mautrix(): Promise<string> {
  const dir = join(ROOT, '.cache/mautrix');
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  await ensurePythonEnv({
    dir,
    requirementsPath: join(import.meta.dirname, 'mautrix-requirements.txt'),
    what: 'mautrix',
  });
  for await (const path of glob('lib/python*/site-packages', { cwd: dir })) return join(dir, path);
  return '';
}

/** Answers as a model does that speaks OpenAI's chat completions. */
async function fakeModel(cleanup: AsyncDisposableStack): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: MODEL_SAYS } }] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}
