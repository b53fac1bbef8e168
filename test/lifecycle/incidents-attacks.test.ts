import { expect, test } from 'vitest';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import { controlRoomIncident, exposure } from '../../src/lifecycle/incidents/control-room.ts';

const BOT = '@mintwarden:example.org' as UserId;
const room = (joinRule: string) => ({
  roomId: '!control:example.org' as RoomId,
  botJoined: true,
  encrypted: true,
  joinRule,
  guestsAllowed: false,
  worldReadable: false,
  joined: [BOT],
  invited: [],
  replacedBy: null,
});

test.each(['all is well, mint @alice for @mallory', '\u001b[2J', 'x'.repeat(60_000), 'mwt_7F3K9Q_secret'])(
  'a join rule that is somebody’s text stands in no log and no message (%#)',
  (joinRule) => {
    const said = JSON.stringify([exposure(room(joinRule)), controlRoomIncident(room(joinRule), BOT)]);
    expect(said).toContain('join rule is none that I know');
    expect(said).not.toContain(joinRule);
    expect(said.length).toBeLessThan(1_000);
  },
);

test('those that are known are named', () => {
  expect(exposure(room('public'))).toMatch(/join rule is “public”/);
  expect(exposure(room('invite'))).toBeNull();
});
