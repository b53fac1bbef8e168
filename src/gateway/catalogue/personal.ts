import type { Line } from './line.ts';
import { later, never } from './refusals.ts';

const C = '/_matrix/client/{v}';
const RULE = `${C}/pushrules/global/{kind}/{ruleId}`;
const DATA = `${C}/user/{userId}/account_data/{type}`;
const ROOM_DATA = `${C}/user/{userId}/rooms/{roomId}/account_data/{type}`;
const TAGS = `${C}/user/{userId}/rooms/{roomId}/tags`;
const MSC3391 = '/_matrix/client/unstable/org.matrix.msc3391/user/{userId}';
const QUIET = 'Could keep the notice from ringing.';
const own = 'the subject alone';
const ownRoom = 'the subject alone, in a room in scope';
const rule = { room: own, asked: 'nothing but the rule’s name', shown: 'the rule, if it names no room outside the scope' };
const subscription = { room: 'a room in scope', asked: 'the thread’s first event is looked up in that room first', shown: 'one flag' };

/** What is the subject's own and no room's: account data, tags, push rules, notifications. */
export const PERSONAL: readonly Line[] = [
  later('account-data', 'setAccountData', 'PUT', DATA,
    { room: own, asked: 'by type, never ignored users, direct rooms, push rules, invite permissions, secret storage', shown: 'nothing' },
    'Could blind the subject, so the types that do are in no scope.'),
  later('account-data', 'setAccountDataPerRoom', 'PUT', ROOM_DATA,
    { room: ownRoom, asked: 'by type, JSON written anew', shown: 'nothing' }, 'The subject’s own notes on a room.'),
  never('deleteAccountData', 'DELETE', [DATA, ROOM_DATA, `${MSC3391}/account_data/{type}`, `${MSC3391}/rooms/{roomId}/account_data/{type}`],
    'Writing by type serves; taking away could bring down what protects the subject.', { source: 'unstable' }),
  never('accountDataOtherwise', 'POST', [DATA, ROOM_DATA], 'No specification names it.', { source: 'synapse' }),
  later('tags', 'getRoomTags', 'GET', TAGS, { room: ownRoom, asked: 'as it is', shown: 'tags and their order' }, 'How the subject sorts their rooms is theirs.'),
  later('tags', 'setRoomTag', 'PUT', `${TAGS}/{tag}`, { room: ownRoom, asked: 'the order alone', shown: 'nothing' }, 'Sorts a room for the subject.'),
  later('tags', 'deleteRoomTag', 'DELETE', `${TAGS}/{tag}`, { room: ownRoom, asked: 'as it is', shown: 'nothing' }, 'Sorts a room for the subject.'),
  later('push-rules', 'getPushRule', 'GET', RULE, rule, 'Rules name rooms, people and words.'),
  later('push-rules', 'isPushRuleEnabled', 'GET', `${RULE}/enabled`, rule, 'As the rule itself.'),
  later('push-rules', 'getPushRuleActions', 'GET', `${RULE}/actions`, rule, 'As the rule itself.'),
  never('setPushRule', 'PUT', RULE, QUIET),
  never('deletePushRule', 'DELETE', RULE, QUIET),
  never('setPushRuleEnabled', 'PUT', `${RULE}/enabled`, QUIET),
  never('setPushRuleActions', 'PUT', `${RULE}/actions`, QUIET),
  never('pushRulesFamily', ['PUT', 'POST', 'DELETE'], [`${C}/pushrules/**`], QUIET, { source: 'family' }),
  never('getPushers', 'GET', `${C}/pushers`, 'Tells where the subject’s devices are reached.'),
  never('postPusher', 'POST', `${C}/pushers/set`, 'Outlives the token, and carries messages elsewhere.'),
  never('pushersFamily', 'any', [`${C}/pushers/**`], 'As above.', { source: 'family' }),
  later('notifications', 'getNotifications', 'GET', `${C}/notifications`,
    { room: 'filtered in the answer', asked: '`from`, `limit`, `only`, and on while pages are empty after filtering', shown: 'those whose event is of a room in scope' },
    'What rang for the subject, and whether they read it, is theirs.'),
  later('notifications', 'threadSubscription', ['GET', 'PUT', 'DELETE'],
    '/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{threadRootId}/subscription', subscription,
    'What the subject wants to hear of (MSC4306).', { source: 'unstable' }),
  later('notifications', 'threadSubscriptions', 'GET', '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions',
    { room: 'filtered in the answer', asked: '`from`, `to`, `limit`, `dir`', shown: 'those of rooms in scope' },
    'The list of the same (MSC4308).', { source: 'unstable' }),
]; // prettier-ignore
