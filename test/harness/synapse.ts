import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort } from './free-port.ts';
import { ensurePythonEnv } from './python-env.ts';
import { synapseConfig, synapseFiles, synapseLogConfig } from './synapse-config.ts';
import type { AppserviceRegistration, SynapseConfig, SynapseIdentity } from './synapse-config.ts';
import { launchSynapse } from './synapse-process.ts';
import type { SynapseProcess } from './synapse-process.ts';
import { registerUser, uniqueName } from './synapse-users.ts';
import type { TestUser } from './synapse-users.ts';

/** How a Synapse is to be. */
export interface SynapseOptions {
  /** Its data folder. Kept if given (and used again if it holds data); a temporary one otherwise. */
  dir?: string;
  serverName?: string;
  port?: number;
  /** Whole top-level sections of homeserver.yaml, put over the harness's own. */
  config?: SynapseConfig;
  /** `open` (the default): practically no limits. `default`: Synapse's own. */
  rateLimits?: 'open' | 'default';
  serverNotices?: boolean;
  appservices?: readonly AppserviceRegistration[];
  onProgress?: (line: string) => void;
}

/** Where a running Synapse is and how to get in: plain data. */
export interface SynapseAddress {
  baseUrl: string;
  serverName: string;
  port: number;
  dir: string;
  logPath: string;
  databasePath: string;
  /** The harness's own server administrator. */
  adminUserId: string;
  adminToken: string;
  registrationSecret: string;
}

/** What tests ask of a Synapse, their own or the shared one. */
export interface SynapseServer extends SynapseAddress {
  registerUser(localpart: string, options?: { admin?: boolean; password?: string }): Promise<TestUser>;
  /** As `registerUser`, under a name nobody else has. */
  uniqueUser(name: string, options?: { admin?: boolean; password?: string }): Promise<TestUser>;
}

/** A test's own Synapse. Disposing of it stops it, and removes its folder if that was temporary. */
export interface Synapse extends SynapseServer, AsyncDisposable {
  /** The same facts as plain data, to be handed to another process. */
  readonly address: SynapseAddress;
  /** Undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Shuts it down. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  /** SIGSTOP: it accepts connections and answers nothing. */
  pause(): void;
  resume(): void;
}

/**
 * Starts a real Synapse on 127.0.0.1 (3 s; installing it the first time takes a minute) with an
 * administrator in it. Throws `HarnessError` with the end of its log if it does not come up.
 */
export async function startSynapse(options: SynapseOptions = {}): Promise<Synapse> {
  const { python } = await ensurePythonEnv(
    options.onProgress === undefined ? {} : { onProgress: options.onProgress },
  );
  await using cleanup = new AsyncDisposableStack();
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'mintwarden-synapse-')));
  if (options.dir === undefined) cleanup.defer(() => rm(dir, { recursive: true, force: true }));
  await mkdir(dir, { recursive: true });
  const identity = await identityOf(dir, options);
  await writeConfig(dir, identity, options);

  const baseUrl = `http://127.0.0.1:${String(identity.port)}`;
  const launch = (): Promise<SynapseProcess> => launchSynapse({ python, dir, baseUrl });
  let running: SynapseProcess | undefined;
  const end = async (how: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    await running?.end(how);
    running = undefined;
  };
  cleanup.defer(() => end(options.dir === undefined ? 'SIGKILL' : 'SIGTERM'));
  running = await launch();
  const admin = await harnessAdmin(dir, {
    baseUrl,
    registrationSecret: identity.registrationSecret,
  });

  const address: SynapseAddress = {
    baseUrl,
    serverName: identity.serverName,
    port: identity.port,
    dir,
    logPath: join(dir, synapseFiles.log),
    databasePath: join(dir, synapseFiles.database),
    adminUserId: admin.userId,
    adminToken: admin.accessToken,
    registrationSecret: identity.registrationSecret,
  };
  const atEnd = cleanup.move();
  return {
    ...connectSynapse(address),
    address,
    get pid() {
      return running?.pid;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start: async () => {
      running ??= await launch();
    },
    pause: () => running?.signal('SIGSTOP'),
    resume: () => running?.signal('SIGCONT'),
    [Symbol.asyncDispose]: () => atEnd.disposeAsync(),
  };
}

/** The same view of a Synapse that somebody else started. */
export function connectSynapse(address: SynapseAddress): SynapseServer {
  return {
    ...address,
    registerUser: (localpart, options) => registerUser(address, localpart, options),
    uniqueUser: (name, options) => registerUser(address, uniqueName(name), options),
  };
}

async function identityOf(dir: string, options: SynapseOptions): Promise<SynapseIdentity> {
  const path = join(dir, synapseFiles.identity);
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept) as SynapseIdentity;
  const identity: SynapseIdentity = {
    serverName: options.serverName ?? 'test.local',
    port: options.port ?? (await freePort()),
    registrationSecret: randomBytes(24).toString('hex'),
    macaroonSecret: randomBytes(24).toString('hex'),
  };
  await writeFile(path, JSON.stringify(identity), { mode: 0o600 });
  // The form signedjson reads: algorithm, key id, unpadded base64 of the seed.
  const seed = randomBytes(32).toString('base64').replace(/=+$/, '');
  await writeFile(join(dir, synapseFiles.signingKey), `ed25519 a_harn ${seed}\n`, { mode: 0o600 });
  return identity;
}

async function writeConfig(dir: string, identity: SynapseIdentity, options: SynapseOptions): Promise<void> {
  const appserviceFiles: string[] = [];
  for (const registration of options.appservices ?? []) {
    const file = `appservice-${String(appserviceFiles.length)}.yaml`;
    await writeFile(join(dir, file), stringify(registration), { mode: 0o600 });
    appserviceFiles.push(file);
  }
  const config = synapseConfig(identity, {
    rateLimits: options.rateLimits ?? 'open',
    serverNotices: options.serverNotices ?? false,
    appserviceFiles,
    overrides: options.config ?? {},
  });
  await writeFile(join(dir, synapseFiles.config), stringify(config), { mode: 0o600 });
  await writeFile(join(dir, synapseFiles.logConfig), stringify(synapseLogConfig));
}

async function harnessAdmin(
  dir: string,
  access: { baseUrl: string; registrationSecret: string },
): Promise<TestUser> {
  const path = join(dir, 'admin.json');
  const kept = await readFile(path, 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept) as TestUser;
  const admin = await registerUser(access, 'harness-admin', { admin: true });
  await writeFile(path, JSON.stringify(admin), { mode: 0o600 });
  return admin;
}
