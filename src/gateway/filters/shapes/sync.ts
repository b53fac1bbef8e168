import { parseEventId, parseUserId } from '../../../domain/ids.ts';
import type { Scope } from '../../../domain/scope.ts';
import { projectAccountData } from '../account-data.ts';
import { isObject } from '../json-shape.ts';
import { filterPushRules } from '../push-rules.ts';
import { readableTypesOf } from '../readable-types.ts';
import { holds, mayReadAccountData, type ReadView } from '../read-view.ts';
import { eventRules } from './event.ts';
import {
  type DataRule,
  type Field,
  list,
  type ListRule,
  type MapRule,
  object,
  type ObjectRule,
  type Rule,
} from './rule.ts';

const NO_EVENTS = { events: [] };
const SUMMARY = {
  'm.heroes': 'texts',
  'm.joined_member_count': 'count',
  'm.invited_member_count': 'count',
} as const;
const COUNTS = object({ highlight_count: 'count', notification_count: 'count' });
const STATUS = object({
  presence: 'text',
  status_msg: 'text',
  last_active_ago: 'count',
  currently_active: 'flag',
});
const RECEIPT = object({ ts: 'count', thread_id: 'text' });

const isUser = (text: string): boolean => parseUserId(text) !== null;
const isEvent = (text: string): boolean => parseEventId(text) !== null;
const exactly = (wanted: string): Field => ({
  rule: { kind: 'text', test: (text) => text === wanted },
  required: true,
});

const known = new WeakMap<Scope, { readonly subject: string; readonly rule: ObjectRule }>();

/**
 * `/sync`. What is the subject's own (account data of both kinds, presence, unread counts), and typing and
 * receipts, are there as far as a capability opens them; to-device messages, device lists and key counts
 * never. Of events, those of types that the scope reads.
 */
export function syncRule(view: ReadView): ObjectRule {
  const before = known.get(view.scope);
  if (before?.subject === view.subject) return before.rule;
  const rule = ruleFor(view);
  known.set(view.scope, { subject: view.subject, rule });
  return rule;
}

function ruleFor(view: ReadView): ObjectRule {
  const { stripped } = eventRules(readableTypesOf(view.scope));
  const joined = {
    rule: { kind: 'rooms', of: roomRule(view), onlyWithNews: true },
    strict: true,
    otherwise: {},
  } as const;
  const shown = (key: string): Field => ({
    rule: {
      kind: 'rooms',
      of: object({ [key]: section(list(stripped, { streamed: true })) }, { streamed: true }),
      onlyWithNews: false,
    },
    strict: true,
    otherwise: {},
  });
  const rooms = object(
    { join: joined, invite: shown('invite_state'), leave: joined, knock: shown('knock_state') },
    { streamed: true },
  );
  return object(
    {
      next_batch: { rule: 'text', required: true, strict: true },
      account_data: ifAny(accountData('account', view)),
      ...(holds(view.scope, 'presence') ? { presence: ifAny(ownPresence(view)) } : {}),
      rooms: { rule: rooms, strict: true, otherwise: { join: {}, invite: {}, leave: {}, knock: {} } },
    },
    { streamed: true },
  );
}

function roomRule(view: ReadView): ObjectRule {
  const readable = readableTypesOf(view.scope);
  const events = section(list(eventRules(readable).aroundEvent, { streamed: true, news: true }));
  const counts = holds(view.scope, 'notifications');
  return object(
    {
      timeline: {
        ...events,
        rule: object(
          {
            ...(events.rule as ObjectRule).fields,
            limited: { rule: 'flag', newsIfTrue: true },
            prev_batch: 'text',
          },
          { streamed: true },
        ),
      },
      state: { ...events, unless: 'state_after' },
      state_after: { rule: events.rule, strict: true },
      // Who is there, and how many: what member events say.
      summary: readable.has('m.room.member')
        ? { rule: object(SUMMARY, { news: true }), strict: true, otherwise: {} }
        : { rule: object({}), otherwise: {} },
      account_data: section(list(accountData('room', view), { streamed: true, news: true })),
      ephemeral: section(ephemeral(view)),
      unread_notifications: counts
        ? { rule: COUNTS, strict: true, otherwise: {} }
        : { rule: object({}), otherwise: {} },
      // By the thread's first event: of which type each is, is not said.
      ...(counts && readable.all ? { unread_thread_notifications: { rule: perThread } } : {}),
    },
    { streamed: true },
  );
}

const perThread: MapRule = { kind: 'map', keys: isEvent, of: COUNTS, nonEmpty: true };

/** A section with a list of events; it stands there even where it is empty. */
function section(events: ListRule): Field {
  const rule = object({ events: { rule: events, strict: true, otherwise: [] } }, { streamed: true });
  return { rule, strict: true, otherwise: NO_EVENTS };
}

/** A section that is there where anything is in it. */
function ifAny(of: Rule): Field {
  const events = list(of, { streamed: true, nonEmpty: true });
  return {
    rule: object({ events: { rule: events, strict: true, required: true } }, { streamed: true }),
    strict: true,
  };
}

/** Account data that may be read. */
export function accountData(of: 'room' | 'account', view: ReadView): DataRule {
  const readsRules = of === 'account' && holds(view.scope, 'push-rules');
  const isRules = (type: string): boolean => readsRules && type === 'm.push_rules';
  return {
    kind: 'data',
    mayRead: (type) => isRules(type) || mayReadAccountData(view.scope, type, of),
    project: (type, content, rooms) => {
      if (!isObject(content)) return undefined;
      if (isRules(type))
        return { type, content: { global: filterPushRules(content['global'], rooms, view) } };
      return { type, content: projectAccountData(type, content, rooms) };
    },
  };
}

/** Whether others share a room in scope at this moment is not in the answer, so theirs is not shown here. */
function ownPresence({ subject }: ReadView): ObjectRule {
  return object({
    type: exactly('m.presence'),
    sender: exactly(subject),
    content: { rule: STATUS, required: true },
  });
}

/** Who types, and who has read what. */
function ephemeral({ subject, scope }: ReadView): ListRule {
  const typing = object({
    type: exactly('m.typing'),
    content: {
      rule: object({ user_ids: { rule: list({ kind: 'text', test: isUser }), otherwise: [] } }),
      otherwise: { user_ids: [] },
    },
  });
  const readers = (keys: MapRule['keys']): Field => ({
    rule: { kind: 'map', keys, of: RECEIPT, nonEmpty: true },
  });
  const kinds = object(
    {
      ...(holds(scope, 'receipts') ? { 'm.read': readers(isUser) } : {}),
      ...(holds(scope, 'markers') ? { 'm.read.private': readers((user) => user === subject) } : {}),
    },
    { nonEmpty: true },
  );
  const receipts = object({
    type: exactly('m.receipt'),
    content: { rule: { kind: 'map', keys: isEvent, of: kinds, nonEmpty: true }, required: true },
  });
  const of: Rule = { kind: 'any', of: holds(scope, 'typing') ? [typing, receipts] : [receipts] };
  // Counts stand in every entry. What brings them down is a receipt of the subject's own.
  const own = { test: (value: unknown) => isReceiptOf(value, subject), mention: subject };
  return list(of, {
    streamed: true,
    news: true,
    ...(holds(scope, 'notifications') ? { newsIf: own } : {}),
  });
}

function isReceiptOf(event: unknown, subject: string): boolean {
  if (!isObject(event) || event['type'] !== 'm.receipt' || !isObject(event['content'])) return false;
  return Object.values(event['content']).some(
    (kinds) =>
      isObject(kinds) &&
      Object.values(kinds).some((users) => isObject(users) && Object.hasOwn(users, subject)),
  );
}
