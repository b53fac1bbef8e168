/**
 * A bot in a process of its own, to be killed. Argument: a JSON file with the options of `startMatrix`,
 * `recipient` and `run`. Says `ready`, then sends numbered messages to the recipient's DM for ever, saying
 * each event id.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { UserId } from '../../../src/domain/ids.ts';
import type { SeedStore } from '../../../src/matrix/options.ts';
import { startBotClient } from '../../../src/matrix/bot-client.ts';
import { silentLog } from '../../support/silent-log.ts';

const settings = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  options: {
    homeserverUrl: string;
    userId: string;
    accessToken: string;
    stateDir: string;
    controlRoomId: string;
  };
  storeKey: string;
  seedsFile: string;
  positionFile: string;
  recipient: UserId;
  run: number;
};

const matrix = await startBotClient({
  ...settings.options,
  storeKey: Buffer.from(settings.storeKey, 'base64'),
  seeds: fileStore(settings.seedsFile),
  position: fileStore(settings.positionFile),
  isAdmin: () => true,
  onEvent: async () => undefined,
  log: silentLog,
});
await matrix.ready;
say({ said: 'ready', deviceId: matrix.deviceId, rssMb: Math.round(process.memoryUsage().rss / 1e6) });
const dm = await matrix.chat.openDm(settings.recipient, { reason: 'r', encrypted: true });
for (let index = 0; ; index++) {
  const name = `run-${settings.run}-${index}`;
  const content = { body: name, html: name, mentions: [], replyTo: null, msgtype: 'm.notice' } as const;
  const sending = {
    transactionId: name,
    marker: name,
    expect: 'encrypted',
    audience: 'cross-signed',
  } as const;
  say({
    said: 'sent',
    roomId: dm.roomId,
    name,
    eventId: await matrix.chat.send(dm.roomId, content, sending),
  });
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function fileStore(file: string): SeedStore {
  const read = (): string | null => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return null;
    }
  };
  const save = (value: string): void => {
    writeFileSync(`${file}.new`, value);
    renameSync(`${file}.new`, file); // or a kill in between would leave half of it
  };
  return { load: async () => read(), save: async (value) => save(value) };
}
