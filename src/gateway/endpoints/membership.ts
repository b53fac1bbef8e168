import { multiStep } from './tasks.ts';
import { forgetting, knocking, leaving } from '../writes/membership.ts';
import { type PersonAct, personActing } from '../writes/person.ts';
import type { Endpoint, TaskEndpoint } from '../request/endpoint.ts';
import { never } from './refused.ts';

const C = '/_matrix/client/{v}';
const R = `${C}/rooms/{roomId}`;
const REASON = 'a reason, JSON written anew; nothing of the query';
const moving = { kind: 'task', does: 'multiStep', room: 'path', body: 'json-if-any' } as const;
const ACTS = ['join', 'leave', 'forget', 'invite', 'kick', 'ban', 'unban'] as const;

/** A line for what is done to somebody else’s membership. */
function acting(act: PersonAct): Omit<TaskEndpoint, 'id' | 'why'> {
  const first = act === 'kick' || act === 'unban' ? 'the member is looked up; then ' : '';
  return {
    kind: 'task',
    does: 'multiStep',
    room: 'path',
    body: 'json',
    methods: ['POST'],
    paths: [`${R}/${act}`],
    needs: act,
    plan: multiStep(personActing(act)),
    asked: `${first}POST, the user’s id and ${REASON}`,
    shown: 'nothing',
  };
}

/** Who is in a room. A join of a room one is in stands with the writes. */
export const MEMBERSHIP: readonly Endpoint[] = [
  never('createRoom', 'POST', `${C}/createRoom`, 'Nobody could say in whose scope the new room is.'),
  never('createRoomWithTransaction', 'PUT', `${C}/createRoom/{txnId}`, 'As above.', { source: 'synapse' }),
  never('upgradeRoom', 'POST', `${R}/upgrade`, 'Makes a room, and empties the old one for everybody.'),
  {
    ...moving,
    id: 'leaveRoom',
    methods: ['POST'],
    paths: [`${R}/leave`],
    needs: 'leave',
    plan: multiStep(leaving),
    asked: `POST, ${REASON}`,
    shown: 'nothing',
    why: 'Ends what the subject sees of the room; also rejects an invite and takes back a knock. A scope of all rooms is smaller by it at once.',
  },
  {
    ...moving,
    id: 'forgetRoom',
    methods: ['POST'],
    paths: [`${R}/forget`],
    needs: 'leave',
    plan: multiStep(forgetting),
    asked: 'POST, an empty body',
    shown: 'nothing',
    why: 'Takes the room’s past from the subject. In a scope of all rooms there is none that was left.',
  },
  {
    ...acting('invite'),
    id: 'inviteUser',
    also: ['inviteBy3PID'],
    why: 'Speaks to people in the subject’s name; by user id alone, an e-mail address is in no scope.',
  },
  {
    ...acting('kick'),
    id: 'kick',
    why: 'Removes people, with the subject’s power. Of oneself it is `leave`; who is banned stays so.',
  },
  { ...acting('ban'), id: 'ban', why: 'Removes people for good, with the subject’s power.' },
  {
    ...acting('unban'),
    id: 'unban',
    why: 'Lets people back, with the subject’s power. Who is not banned is not kicked by it.',
  },
  {
    ...moving,
    id: 'knockRoom',
    methods: ['POST'],
    paths: [`${C}/knock/{roomId}`],
    needs: 'knock',
    plan: multiStep(knocking),
    asked: `POST, ${REASON}`,
    shown: 'the room’s id',
    why: 'Asks strangers to let the subject in. An alias is refused; `via` would have the homeserver talk to any server.',
  },
  never(
    'membershipWithTransaction',
    'PUT',
    [
      `${C}/join/{roomId}/{txnId}`,
      `${C}/knock/{roomId}/{txnId}`,
      ...ACTS.map((act) => `${R}/${act}/{txnId}`),
    ],
    'No specification names it; Synapse has it, and the forms without serve.',
    { source: 'synapse' },
  ),
];
