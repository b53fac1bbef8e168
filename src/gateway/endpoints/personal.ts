import { multiStep } from './tasks.ts';
import { projectTags } from '../filters/account-data.ts';
import { requireObject } from '../filters/json-shape.ts';
import { holds } from '../filters/read-view.ts';
import { missingCapability, ok } from '../http/response.ts';
import { maySetAccountData, getAccountDataSteps, setAccountDataSteps } from '../personal/account-data.ts';
import {
  notificationsSteps,
  threadSubscriptionSteps,
  threadSubscriptionsSteps,
} from '../personal/notifications.ts';
import { pushRuleSteps, pushRulesSteps } from '../personal/push-rules.ts';
import { setTagSteps, deleteTagSteps } from '../personal/tags.ts';
import type { Endpoint } from '../request/endpoint.ts';
import { never } from './refused.ts';

const C = '/_matrix/client/{v}';
const RULE = `${C}/pushrules/global/{kind}/{ruleId}`;
const DATA = `${C}/user/{userId}/account_data/{type}`;
const ROOM_DATA = `${C}/user/{userId}/rooms/{roomId}/account_data/{type}`;
const TAGS = `${C}/user/{userId}/rooms/{roomId}/tags`;
const MSC3391 = '/_matrix/client/unstable/org.matrix.msc3391/user/{userId}';
const MSC4306 =
  '/_matrix/client/unstable/io.element.msc4306/rooms/{roomId}/thread/{threadRootId}/subscription';
const QUIET = 'Could silence the notice.';
const EXCLUDED = 'never ignored users, direct chats, push rules, invite permissions, secret storage';

const data = {
  kind: 'task',
  does: 'multiStep',
  methods: ['PUT'],
  needs: 'account-data',
  authorize: maySetAccountData,
  user: 'self',
  body: 'json',
  plan: multiStep(setAccountDataSteps),
  shown: 'nothing',
} as const;
const tag = {
  kind: 'task',
  does: 'multiStep',
  needs: 'tags',
  room: 'path',
  user: 'self',
  paths: [`${TAGS}/{tag}`],
  shown: 'nothing',
  why: 'Changes how the subject’s rooms are sorted. Other tags do more in clients, such as `m.server_notice`.',
} as const;
const rule = {
  kind: 'task',
  does: 'multiStep',
  methods: ['GET'],
  needs: 'push-rules',
  asked: 'all rules, to find this one',
  shown: 'the rule, if it names no room outside the scope',
} as const;

/** What is the subject's own and no room's: account data, tags, push rules, notifications. */
export const PERSONAL: readonly Endpoint[] = [
  {
    id: 'getAccountData',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [DATA],
    needs: 'holder',
    plan: multiStep(getAccountDataSteps),
    asked: 'with `account-data` for that type, unchanged; otherwise nothing',
    shown:
      'the content, without entries keyed by or equal to the ID of a room outside the scope; other types are not found',
    why: 'Clients ask for it at start. Granted only by type, and without rooms outside the scope.',
  },
  {
    id: 'getAccountDataPerRoom',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [ROOM_DATA],
    needs: 'holder',
    plan: multiStep(getAccountDataSteps),
    asked: 'as above; with `tags` and `markers`, their types; otherwise nothing',
    shown: 'as above, for a room in scope',
    why: 'The subject’s settings for a room; granted only by type.',
  },
  {
    ...data,
    id: 'setAccountData',
    paths: [DATA],
    asked: `by type, ${EXCLUDED}; JSON rebuilt`,
    why: 'No scope allows types that could hide things from the subject. Writing replaces the whole content, including entries for rooms outside the scope that were not shown.',
  },
  {
    ...data,
    id: 'setAccountDataPerRoom',
    paths: [ROOM_DATA],
    room: 'path',
    asked: `by type, ${EXCLUDED}; with \`markers\`, only the unread flag`,
    why: 'The subject’s settings for a room.',
  },
  never(
    'deleteAccountData',
    'DELETE',
    [DATA, ROOM_DATA, `${MSC3391}/account_data/{type}`, `${MSC3391}/rooms/{roomId}/account_data/{type}`],
    'Use writing by type; deleting could remove what protects the subject.',
    { source: 'unstable' },
  ),
  never('accountDataOtherwise', 'POST', [DATA, ROOM_DATA], 'Not in the specification.', {
    source: 'synapse',
  }),
  {
    id: 'getRoomTags',
    kind: 'forward',
    methods: ['GET'],
    paths: [TAGS],
    needs: 'tags',
    room: 'path',
    user: 'self',
    to: '/_matrix/client/v3/user/{me}/rooms/{roomId}/tags',
    filter: () => (body) => ok(projectTags(requireObject(body, 'tags'))),
    shown: 'tags and their order',
    why: 'How the subject sorts rooms is personal.',
  },
  {
    ...tag,
    id: 'setRoomTag',
    methods: ['PUT'],
    body: 'json-if-any',
    plan: multiStep(setTagSteps),
    asked: 'only the order, of `m.favourite`, `m.lowpriority` and `u.*`',
  },
  { ...tag, id: 'deleteRoomTag', methods: ['DELETE'], plan: multiStep(deleteTagSteps), asked: 'as it is' },
  {
    id: 'getPushRules',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [`${C}/pushrules/`],
    aliases: [`${C}/pushrules`],
    needs: 'holder',
    plan: multiStep(pushRulesSteps((global) => ({ global }))),
    asked: 'with `push-rules`, unchanged; otherwise nothing',
    shown:
      'with `push-rules`, the rules that name no room outside the scope and no person; otherwise five empty lists',
    why: 'Without these lists some clients never reach their first sync. The real rules are personal: they name rooms, people and words.',
  },
  {
    id: 'getPushRulesGlobal',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [`${C}/pushrules/global/`],
    aliases: [`${C}/pushrules/global`],
    needs: 'holder',
    plan: multiStep(pushRulesSteps((global) => global)),
    asked: 'as above',
    shown: 'as above',
    why: 'As above.',
  },
  {
    ...rule,
    id: 'getPushRule',
    paths: [RULE],
    plan: multiStep(pushRuleSteps((one) => one)),
    why: 'Rules name rooms, people and words.',
  },
  {
    ...rule,
    id: 'isPushRuleEnabled',
    paths: [`${RULE}/enabled`],
    plan: multiStep(pushRuleSteps(({ enabled }) => ({ enabled: enabled === true }))),
    why: 'As for the rule itself.',
  },
  {
    ...rule,
    id: 'getPushRuleActions',
    paths: [`${RULE}/actions`],
    plan: multiStep(pushRuleSteps(({ actions }) => ({ actions }))),
    why: 'As for the rule itself.',
  },
  never('setPushRule', 'PUT', RULE, QUIET),
  never('deletePushRule', 'DELETE', RULE, QUIET),
  never('setPushRuleEnabled', 'PUT', `${RULE}/enabled`, QUIET),
  never('setPushRuleActions', 'PUT', `${RULE}/actions`, QUIET),
  never('pushRulesFamily', ['PUT', 'POST', 'DELETE'], [`${C}/pushrules/**`], QUIET, { source: 'family' }),
  never('getPushers', 'GET', `${C}/pushers`, 'Reveals how the subject’s devices are reached.'),
  never('postPusher', 'POST', `${C}/pushers/set`, 'Outlives the token, and sends messages elsewhere.'),
  never('pushersFamily', 'any', [`${C}/pushers/**`], 'As above.', { source: 'family' }),
  {
    id: 'getNotifications',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [`${C}/notifications`],
    needs: 'notifications',
    room: 'answer',
    plan: multiStep(notificationsSteps),
    asked: '`from`, `limit`, `only`; more pages until there are enough results',
    shown:
      'those with an event of a room in scope: when, whether read, and the event if the scope can read its type',
    why: 'What notified the subject, and whether they read it, is personal.',
  },
  {
    id: 'getThreadSubscription',
    source: 'unstable',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [MSC4306],
    needs: 'notifications',
    room: 'path',
    plan: multiStep(threadSubscriptionSteps),
    asked: 'the thread root is looked up in that room first',
    shown: 'one flag',
    why: 'What the subject wants to be notified about (MSC4306).',
  },
  never(
    'setThreadSubscription',
    ['PUT', 'DELETE'],
    MSC4306,
    'Decides what notifies the subject; only reading can be granted.',
    { source: 'unstable' },
  ),
  {
    id: 'threadSubscriptions',
    source: 'unstable',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: ['/_matrix/client/unstable/io.element.msc4308/thread_subscriptions'],
    needs: 'notifications',
    authorize: ({ access: { grant } }) =>
      !holds(grant.scope, 'notifications')
        ? missingCapability('notifications')
        : holds(grant.scope, 'read')
          ? null
          : missingCapability('read'),
    room: 'answer',
    plan: multiStep(threadSubscriptionsSteps),
    asked: '`from`, `to`, `limit`, `dir`; more pages while pages are empty after filtering',
    shown: 'those in rooms in scope',
    why: 'The list of such subscriptions (MSC4308). It names events of any type, so `read` is needed too.',
  },
];
