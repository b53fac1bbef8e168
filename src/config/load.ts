import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { AccountConfig, Config } from './config.ts';
import { crossCheck } from './cross-checks.ts';
import { explainIssue, type Problem } from './explain-issue.ts';
import { readConfigSource, throwProblems, type ConfigSource } from './source.ts';
import { fileSchema, type FileContent } from './schema.ts';
import { isOpenToAll, readSecretFile } from './secret-file.ts';

/**
 * Reads the configuration: the file, what the environment overrides (`MINTWARDEN_GATEWAY_PUBLIC_URL` is
 * `gateway.public_url`), the files with secrets. Paths in it are relative to the file.
 * @throws MintwardenError `configuration` that names every problem found, with its line
 */
export async function loadConfig(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Config> {
  return toConfig(await readConfigSource(path, env));
}

/**
 * The same for a source that was read already, for callers that show it and use it: both must be one reading.
 * @throws as `loadConfig`
 */
export async function toConfig({ file, content, yaml, where }: ConfigSource): Promise<Config> {
  const folder = dirname(file);
  const secrets: Problem[] = [];
  const bot = await readAccount('bot', content.bot, folder, secrets);
  const issuer = await readAccount('issuer', content.issuer, folder, secrets);
  const inFile = yamlHasSecret(yaml.value);
  if (inFile && isOpenToAll((await stat(file)).mode)) {
    secrets.push({
      path: [],
      sentence: `The configuration holds a secret and can be read by every user of this machine. Run: chmod 600 '${file}'`,
    });
  }
  throwProblems(secrets.map(where));
  return assemble(content, {
    file,
    bot: bot.account,
    issuer: issuer.account,
    files: [...bot.files, ...issuer.files, ...(inFile ? [file] : [])],
  });
}

/**
 * What would be wrong with a configuration of this content, secrets aside: for one that is about to be
 * written.
 */
export function validateConfig(value: unknown): readonly string[] {
  const checked = fileSchema.safeParse(value);
  const found = checked.success
    ? crossCheck(checked.data)
    : checked.error.issues.flatMap((issue) => explainIssue(issue, value));
  return found.map(({ sentence }) => sentence);
}

async function readAccount(
  name: 'bot' | 'issuer',
  content: FileContent['bot'],
  folder: string,
  problems: Problem[],
): Promise<{ account: AccountConfig; files: string[] }> {
  const files: string[] = [];
  const read = async (key: 'access_token' | 'password'): Promise<string | null> => {
    const path = content[`${key}_file`];
    if (path === undefined) return content[key] ?? null;
    const file = resolve(folder, path);
    files.push(file);
    const result = await readSecretFile(file);
    if ('secret' in result) return result.secret;
    problems.push({ path: [name, `${key}_file`], sentence: `${name}.${key}_file: ${result.problem}` });
    return null;
  };
  const accessToken = await read('access_token');
  const password = await read('password');
  const secrets = { access_token: accessToken ?? '', ...(password === null ? {} : { password }) };
  return { account: { user_id: content.user_id, ...secrets }, files };
}

function yamlHasSecret(value: unknown): boolean {
  const root = (value ?? {}) as Record<string, Record<string, unknown> | undefined>;
  return ['bot', 'issuer'].some(
    (name) => root[name]?.['access_token'] !== undefined || root[name]?.['password'] !== undefined,
  );
}

function assemble(
  content: FileContent,
  read: {
    readonly file: string;
    readonly bot: AccountConfig;
    readonly issuer: AccountConfig;
    readonly files: readonly string[];
  },
): Config {
  const folder = dirname(read.file);
  return {
    ...content,
    file: read.file,
    homeserver: { ...content.homeserver, url: content.homeserver.url.replace(/\/+$/, '') },
    bot: read.bot,
    issuer: { ...read.issuer, kind: content.issuer.kind },
    gateway: {
      listen: parseListen(content.gateway.listen),
      public_url: new URL(content.gateway.public_url).origin,
      processes: content.gateway.processes,
      trusted_proxies: content.gateway.trusted_proxies,
      transport: content.gateway.transport,
      filter: content.gateway.filter,
      limits: content.gateway.limits,
    },
    monitoring: {
      listen: content.monitoring.listen === undefined ? null : parseListen(content.monitoring.listen),
      hosts: content.monitoring.hosts,
    },
    state_dir: resolve(folder, content.state_dir),
    sealing_key_file: resolve(folder, content.sealing_key_file),
    secret_files: read.files,
  };
}

/** An address to listen on, as it was checked by the schema. */
export function parseListen(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(listen.slice(colon + 1)) };
}
