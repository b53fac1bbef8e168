import type { Config } from '../../config/index.ts';
import { readControlRoom } from '../../matrix/control-room.ts';
import { createHomeserver } from '../../matrix/homeserver.ts';
import type { ControlRoomState } from '../../ports/chat.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

/** The control room as the bot sees it. */
export async function checkControlRoom(config: Config): Promise<readonly Finding[]> {
  const homeserver = createHomeserver({ homeserverUrl: config.homeserver.url, accessToken: config.bot.access_token });
  return judgeControlRoom(config, await readControlRoom(homeserver, config.control_room, config.bot.user_id));
}

/** What is wrong with a control room in this state. */
export function judgeControlRoom(config: Pick<Config, 'admins' | 'bot' | 'issuer'>, room: ControlRoomState): readonly Finding[] {
  const id = 'control room';
  if (!room.botJoined) {
    return [
      fail(
        id,
        `The bot is not in ${room.roomId}.`,
        'It hears no commands.',
        `Invite ${config.bot.user_id} there; it joins by itself while it runs.`,
      ),
    ];
  }
  const findings: Finding[] = [];
  const bad = (found: string, why: string, mend: string): void => void findings.push(fail(id, found, why, mend));
  if (!room.encrypted)
    bad(
      'It is not encrypted.',
      'The homeserver could read and forge commands; the bot refuses them.',
      'Turn encryption on in its settings.',
    );
  if (!['invite', 'private'].includes(room.joinRule)) {
    bad(
      `It can be joined without an invitation (${room.joinRule}).`,
      'Everybody could read along.',
      'Set it to "Private (invite only)" in its settings.',
    );
  }
  if (room.guestsAllowed) bad('Guests may join it.', 'Everybody could read along.', 'Forbid guest access in its settings.');
  if (room.worldReadable)
    bad('Its history can be read by anyone.', 'Who may do what to whom is in there.', 'Limit its history to members in its settings.');
  const known = new Set<string>([...config.admins, config.bot.user_id]);
  const others = [...room.joined, ...room.invited].filter((userId) => !known.has(userId));
  if (others.length > 0) {
    findings.push(
      warn(
        id,
        `In it, or invited, without being admins: ${others.join(', ')}.`,
        'They read what is minted, and may give no commands.',
        'Remove them, or add them to admins.',
      ),
    );
  }
  const missing = config.admins.filter((userId) => !room.joined.includes(userId));
  if (missing.length > 0) {
    const invited = missing.every((userId) => room.invited.includes(userId));
    findings.push(
      warn(
        id,
        `Not in it: ${missing.join(', ')}.`,
        'They can give no commands.',
        invited ? 'They are invited: let them accept.' : 'Invite them.',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(id, `${room.roomId} is encrypted and private, with ${String(room.joined.length)} members.`)];
}
