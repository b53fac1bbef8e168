import { multiStep } from './tasks.ts';
import { forgetSteps, knockSteps, leaveSteps } from '../writes/membership.ts';
import { type MembershipAction, membershipSteps } from '../writes/person.ts';
import type { Endpoint, TaskEndpoint } from '../request/endpoint.ts';
import { never } from './refused.ts';

const C = '/_matrix/client/{v}';
const R = `${C}/rooms/{roomId}`;
const REASON = 'a reason, JSON rebuilt; no query parameters';
const moving = { kind: 'task', does: 'multiStep', room: 'path', body: 'json-if-any' } as const;
const ACTS = ['join', 'leave', 'forget', 'invite', 'kick', 'ban', 'unban'] as const;

/** An endpoint for what is done to somebody else’s membership. */
function acting(act: MembershipAction): Omit<TaskEndpoint, 'id' | 'why'> {
  const first = act === 'kick' || act === 'unban' ? 'the member is looked up; then ' : '';
  return {
    kind: 'task',
    does: 'multiStep',
    room: 'path',
    body: 'json',
    methods: ['POST'],
    paths: [`${R}/${act}`],
    needs: act,
    plan: multiStep(membershipSteps(act)),
    asked: `${first}POST, the user ID and ${REASON}`,
    shown: 'nothing',
  };
}

/** Who is in a room. A join of a room one is in stands with the writes. */
export const MEMBERSHIP: readonly Endpoint[] = [
  never('createRoom', 'POST', `${C}/createRoom`, 'It would be undefined whose scope the new room is in.'),
  never('createRoomWithTransaction', 'PUT', `${C}/createRoom/{txnId}`, 'As above.', { source: 'synapse' }),
  never('upgradeRoom', 'POST', `${R}/upgrade`, 'Creates a room, and closes the old one for everyone.'),
  {
    ...moving,
    id: 'leaveRoom',
    methods: ['POST'],
    paths: [`${R}/leave`],
    needs: 'leave',
    plan: multiStep(leaveSteps),
    asked: `POST, ${REASON}`,
    shown: 'nothing',
    why: 'Ends the subject’s membership; also rejects an invite or takes back a knock. A scope of all rooms loses the room at once.',
  },
  {
    ...moving,
    id: 'forgetRoom',
    methods: ['POST'],
    paths: [`${R}/forget`],
    needs: 'leave',
    plan: multiStep(forgetSteps),
    asked: 'POST, an empty body',
    shown: 'nothing',
    why: 'Takes the room’s history from the subject. A scope of all rooms contains no room that was left.',
  },
  {
    ...acting('invite'),
    id: 'inviteUser',
    also: ['inviteBy3PID'],
    why: 'Contacts people in the subject’s name. Only by user ID: no scope allows e-mail addresses.',
  },
  {
    ...acting('kick'),
    id: 'kick',
    why: 'Removes people with the subject’s power. To remove the subject, use `leave`. A banned user stays banned.',
  },
  { ...acting('ban'), id: 'ban', why: 'Bans people with the subject’s power.' },
  {
    ...acting('unban'),
    id: 'unban',
    why: 'Lifts bans with the subject’s power. It does not kick a user who is not banned.',
  },
  {
    ...moving,
    id: 'knockRoom',
    methods: ['POST'],
    paths: [`${C}/knock/{roomId}`],
    needs: 'knock',
    plan: multiStep(knockSteps),
    asked: `POST, ${REASON}`,
    shown: 'the room ID',
    why: 'Asks strangers to let the subject in. Aliases are refused, and `via` would make the homeserver contact any server.',
  },
  never(
    'membershipWithTransaction',
    'PUT',
    [
      `${C}/join/{roomId}/{txnId}`,
      `${C}/knock/{roomId}/{txnId}`,
      ...ACTS.map((act) => `${R}/${act}/{txnId}`),
    ],
    'Not in the specification, only in Synapse; use the form without a transaction ID.',
    { source: 'synapse' },
  ),
];
