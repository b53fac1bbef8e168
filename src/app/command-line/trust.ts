import { userInfo } from 'node:os';
import { loadConfig } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { parseUserId, serverOf, type UserId } from '../../domain/ids.ts';
import { createLog } from '../../telemetry/log.ts';
import { confirmIdentity, describeIdentity } from '../trust/index.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import { textOf, type CliCommand } from './command.ts';

/** `mintwarden trust`: for users who reset their cryptographic identity and are refused since. */
export const trust: CliCommand = {
  name: 'trust',
  summary: 'confirm the new cryptographic identity of somebody who reset theirs',
  usage: 'USER [--key KEY] [--config FILE]',
  operands: ['USER'],
  flags: [
    { name: 'key', value: 'KEY', help: 'the identity to confirm, as shown without this flag' },
    CONFIG_FLAG,
  ],
  notes: [
    'Without --key it shows what to compare with the person, and changes nothing. With it the identity counts for their',
    'commands and for tokens sent to them; the service must be stopped for that. It is written into the audit, and the',
    'control room is told when the service starts.',
  ],
  run: async (flags) => {
    const config = await loadConfig(configFile(flags), process.env);
    const log = createLog({ level: 'warn', pretty: true });
    const userId = userOf(textOf(flags, 'USER'), config.homeserver.server_name);
    const key = textOf(flags, 'key');
    if (key === null) {
      console.log((await describeIdentity(config, log, userId)).join('\n'));
      return 0;
    }
    await confirmIdentity(config, log, userId, key, `operator:${userInfo().username}`);
    console.log(
      `From now on ${key} is the identity of ${userId}. The control room is told when the service starts.`,
    );
    return 0;
  },
};

function userOf(text: string | null, serverName: string): UserId {
  const userId = parseUserId(text !== null && !text.includes(':') ? `${text}:${serverName}` : (text ?? ''));
  if (userId !== null && serverOf(userId) === serverName) return userId;
  throw new MintwardenError(
    'usage',
    `Whose identity? Name a user of ${serverName}.`,
    `mintwarden trust @you:${serverName}`,
  );
}
