import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { parseDocument } from 'yaml';
import { type CheckId, doctor, type Finding, unreadableConfig } from '../../../../src/app/doctor/index.ts';
import { type Config, loadConfig } from '../../../../src/config/index.ts';
import { MintwardenError } from '../../../../src/domain/errors.ts';
import { startJsClient, type JsClient } from '../../../harness/js-client.ts';
import { matrixRequest } from '../../../harness/matrix-http.ts';
import { type Mintwarden, setUpMintwarden } from '../../../harness/mintwarden.ts';
import { type Proxy, startProxy } from '../../../harness/proxy.ts';
import type { SynapseServer } from '../../../harness/synapse.ts';
import { uniqueName } from '../../../harness/synapse-users.ts';
import { silentLog } from '../../../support/silent-log.ts';

const V3 = '/_matrix/client/v3';
const part = encodeURIComponent;

/**
 * One set-up on a real Synapse, under names of its own and not started, with olivia for its administrator: to be
 * broken for real, looked at, repaired by what doctor says (a command it gives is run as it stands; for the rest
 * the test does what the sentence says), and looked at again.
 */
export async function doctorStage(synapse: SynapseServer) {
  await using cleanup = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), 'mintwarden-doctor-'));
  cleanup.defer(() => rm(scratch, { recursive: true, force: true }));
  const proxy: Proxy = cleanup.use(await startProxy(synapse.baseUrl));
  const olivia: JsClient = cleanup.use(await startJsClient(synapse, await synapse.uniqueUser('olivia')));
  const mintwarden: Mintwarden = cleanup.use(
    await setUpMintwarden({
      homeserverUrl: synapse.baseUrl,
      adminToken: synapse.adminToken,
      admins: [olivia.userId],
      bot: uniqueName('mintwarden'),
      issuer: uniqueName('mintwarden-issuer'),
    }),
  );
  const goodYaml = await readFile(mintwarden.configPath, 'utf8');
  // The program by its name, as the commands have it.
  const main = join(import.meta.dirname, '../../../../src/mintwarden.mjs');
  await writeFile(join(scratch, 'mintwarden'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
    mode: 0o755,
  });

  const config = (): Promise<Config> => loadConfig(mintwarden.configPath, {});

  async function look(): Promise<readonly Finding[]> {
    let read: Config;
    try {
      read = await config();
    } catch (error) {
      if (error instanceof MintwardenError) return unreadableConfig(error);
      throw error;
    }
    return doctor(read, silentLog);
  }

  /** The finding of a check that does not hold. */
  async function broken(id: CheckId, says: RegExp, severity: 'warn' | 'fail' = 'fail'): Promise<Finding> {
    const findings = await look();
    const found = findings.find((finding) => finding.id === id && finding.severity !== 'ok');
    expect(
      findings
        .filter(({ severity: how }) => how !== 'ok')
        .map(({ id: bad, found: what }) => `${bad}: ${what}`)
        .join('\n'),
    ).toMatch(says);
    expect(found).toMatchObject({
      severity,
      found: expect.stringMatching(says) as string,
      why: expect.any(String) as string,
      fix: expect.any(String) as string,
    });
    return found as Finding;
  }

  async function fixed(id: CheckId): Promise<void> {
    const findings = (await look()).filter((finding) => finding.id === id);
    expect(findings.map(({ severity, found }) => `${severity}: ${found}`)).toEqual(
      findings.map(({ found }) => `ok: ${found}`),
    );
    expect(findings).not.toEqual([]);
  }

  /** What the finding says to run, run as it stands; the service is started as the harness does it. */
  async function run({ command }: Finding): Promise<void> {
    expect(command).not.toBeNull();
    for (const line of (command ?? '').split('\n')) {
      if (line.startsWith('mintwarden start ')) await mintwarden.start();
      else await shell(line);
    }
  }

  function shell(line: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const env = {
      ...process.env,
      PATH: `${scratch}:${process.env['PATH'] ?? ''}`,
      ADMIN_TOKEN: synapse.adminToken,
      MINTWARDEN_ADMIN_TOKEN: synapse.adminToken,
    };
    const child = spawn('sh', ['-c', line], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    child.once(
      'close',
      (code) =>
        void said.then(([out, err]) =>
          code === 0 ? resolve(out) : reject(new Error(`${line}\n${out}${err}`)),
        ),
    );
    return promise;
  }

  /** Changes keys of bot.yaml. */
  async function configure(keys: Readonly<Record<string, unknown>>): Promise<void> {
    const yaml = parseDocument(goodYaml);
    for (const [key, value] of Object.entries(keys)) yaml.setIn(key.split('.'), value);
    await writeFile(mintwarden.configPath, yaml.toString(), { mode: 0o600 });
  }
  const asItWas = (): Promise<void> => writeFile(mintwarden.configPath, goodYaml, { mode: 0o600 });

  const asAdmin = (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
    matrixRequest(synapse.baseUrl, method, path, {
      token: synapse.adminToken,
      ...(body === undefined ? {} : { body }),
    });
  const inRoom = (path: string): string => `${V3}/rooms/${part(mintwarden.controlRoomId)}/${path}`;
  const asOlivia = (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
    matrixRequest(synapse.baseUrl, method, path, {
      token: olivia.accessToken,
      ...(body === undefined ? {} : { body }),
    });
  const setState = (type: string, content: object): Promise<unknown> =>
    asOlivia('PUT', inRoom(`state/${type}/`), content);
  const stateOf = (type: string): Promise<Record<string, unknown>> =>
    asOlivia('GET', inRoom(`state/${type}/`));

  /** Starts the service, and has olivia join its control room. */
  async function start(): Promise<void> {
    await mintwarden.start();
    await olivia.waitForInvite((invite) => invite.roomId === mintwarden.controlRoomId);
    await olivia.join(mintwarden.controlRoomId);
  }

  const atEnd = cleanup.move();
  return {
    synapse,
    scratch,
    proxy,
    olivia,
    mintwarden,
    goodYaml,
    start,
    config,
    look,
    broken,
    fixed,
    run,
    shell,
    configure,
    asItWas,
    asAdmin,
    inRoom,
    asOlivia,
    setState,
    stateOf,
    [Symbol.asyncDispose]: () => atEnd.disposeAsync(),
  };
}
