import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadConfig, type Config } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { Answers } from './config-content.ts';

/**
 * The configuration of an earlier run, kept as it is; null where there is none.
 * @throws MintwardenError `conflict` for one that cannot be used, or of another set-up
 */
export async function loadPreviousConfig(
  file: string,
  answers: Omit<Answers, 'controlRoom'>,
  out: (line: string) => void,
): Promise<Config | null> {
  const isThere = await readFile(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR')
        throw new MintwardenError(
          'state',
          `${dirname(file)} cannot be a folder: a file is in its way.`,
          'Name another folder with --dir.',
          { cause: error },
        );
      return error.code !== 'ENOENT';
    },
  );
  if (!isThere) return null;
  const next =
    'Name another folder with --dir, or write it again with --force (the control room stays the same).';
  const config = await loadConfig(file, {}).catch((error: unknown) => {
    throw new MintwardenError(
      'conflict',
      `There is a ${file} that cannot be used: ${error instanceof Error ? error.message : 'no reason given'}`,
      next,
    );
  });
  const same = config.bot.user_id === answers.bot.userId && config.issuer.user_id === answers.issuer.userId;
  if (!same || config.homeserver.server_name !== answers.serverName) {
    throw new MintwardenError(
      'conflict',
      `There is a ${file} already, for ${config.bot.user_id} and ${config.issuer.user_id}.`,
      next,
    );
  }
  const { host, port } = config.gateway.listen;
  const asked = {
    admins: answers.admins.toSorted().join(),
    url: new URL(answers.publicUrl).origin,
    listen: answers.listen,
  };
  const listen = `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  const differs =
    config.admins.toSorted().join() !== asked.admins ||
    config.gateway.public_url !== asked.url ||
    listen !== asked.listen;
  out(
    `${file} is there and is kept as it is.${differs ? ' It differs from what was asked for now; edit it, or use --force.' : ''}`,
  );
  return config;
}
