import type { IncidentKind } from '../../domain/incident.ts';
import type { ControlRoomState } from '../../ports/chat.ts';

/** Those of the specification (room versions 1 to 12), and what stands for no answer at all. */
const JOIN_RULES: readonly string[] = [
  'public',
  'knock',
  'restricted',
  'knock_restricted',
  'private',
  'unknown',
];

/** A rule is anybody's text who may set it, and what is said here goes into the log too. */
function joinRuleName(rule: string): string {
  return JOIN_RULES.includes(rule) ? `“${rule}”` : 'none that I know';
}

/**
 * What is wrong with the control room, as a sentence, where commands that give power are refused for it; null
 * where it is private.
 */
export function exposure(room: ControlRoomState): string | null {
  if (!room.encrypted) return 'The control room is not encrypted.';
  if (room.joinRule !== 'invite')
    return `Others can join the control room without an invitation (its join rule is ${joinRuleName(room.joinRule)}).`;
  if (room.guestsAllowed) return 'Guests are allowed into the control room.';
  return room.worldReadable ? 'Anybody can read the control room without joining it.' : null;
}

/** An incident as detected, before it is opened. */
type Found = { readonly kind: IncidentKind; readonly sentence: string; readonly next: string };

/** Those that are about the control room: at most one of them at a time. */
export const CONTROL_ROOM_INCIDENTS = [
  'control-room-lost',
  'control-room-replaced',
  'control-room-exposed',
] as const;

/** What keeps the control room from being one; null where nothing does. The worst comes first. */
export function controlRoomIncident(room: ControlRoomState, botId: string): Found | null {
  if (!room.botJoined) {
    const next = `Invite ${botId} there again; it joins by itself. If the room is gone, run \`mintwarden init --force\` and restart the service: that creates another one.`;
    return {
      kind: 'control-room-lost',
      sentence: `The bot is not in the control room ${room.roomId} any more: it was removed, or the room was deleted. It takes no commands there.`,
      next,
    };
  }
  if (room.replacedBy !== null) {
    const next = `Invite ${botId} to ${room.replacedBy}, put that id as \`control_room\` into the configuration, and restart the service. Commands from there count only then.`;
    return {
      kind: 'control-room-replaced',
      sentence: `The control room ${room.roomId} was upgraded to another room, ${room.replacedBy}.`,
      next,
    };
  }
  const exposed = exposure(room);
  if (exposed === null) return null;
  const next =
    'Fix it in the settings of the room. Until then only !help, !status and !revoke are taken there.';
  return { kind: 'control-room-exposed', sentence: exposed, next };
}
