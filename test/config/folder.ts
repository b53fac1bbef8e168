import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MintwardenError } from '../../src/domain/errors.ts';
import { loadConfig, type Config } from '../../src/config/index.ts';

/** A folder as `init` leaves it, to be spoilt by a test. */
export type Folder = AsyncDisposable & {
  readonly dir: string;
  readonly file: string;
  write(name: string, text: string, mode?: number): Promise<void>;
  load(env?: Record<string, string>): Promise<Config>;
  /** The sentence `load` fails with. */
  complaint(env?: Record<string, string>): Promise<string>;
};

export const GOOD = `homeserver:
  url: http://127.0.0.1:8008/
  server_name: example.org
bot:
  user_id: '@mintwarden:example.org'
  access_token_file: secrets/bot.token
issuer:
  kind: synapse
  user_id: '@issuer:example.org'
  access_token_file: secrets/issuer.token
control_room: '!abc:example.org'
admins: ['@you:example.org']
gateway:
  public_url: https://tokens.example.org/
`;

export async function folder(yaml: string = GOOD): Promise<Folder> {
  const dir = await mkdtemp(join(tmpdir(), 'mintwarden-config-'));
  const file = join(dir, 'bot.yaml');
  const write = async (name: string, text: string, mode = 0o600): Promise<void> => {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
    await chmod(join(dir, name), mode);
  };
  await write('bot.yaml', yaml);
  await write('secrets/bot.token', 'syt_bot_secret_000000\n');
  await write('secrets/issuer.token', 'syt_issuer_secret_000000');
  const load = (env: Record<string, string> = {}): Promise<Config> => loadConfig(file, env);
  return {
    dir,
    file,
    write,
    load,
    async complaint(env) {
      const error: unknown = await load(env).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof MintwardenError) || error.code !== 'configuration')
        throw new Error(`no complaint: ${String(error)}`);
      return error.message;
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}
