import { describe, expect, it } from 'vitest';
import {
  hasForbiddenMsgtype,
  isEventId,
  isReaction,
  mentionsRoom,
  relationsOf,
} from '../../../src/gateway/writes/content-rules.ts';

const NONE = { replaces: null, annotates: null, names: [] };
const reply = { 'm.in_reply_to': { event_id: '$a' } };

describe('what content says of other events', () => {
  it.each<[string, unknown, unknown]>([
    ['nothing', undefined, NONE],
    ['an empty relation', {}, NONE],
    ['a reply', reply, { ...NONE, names: ['$a'] }],
    ['a thread', { rel_type: 'm.thread', event_id: '$b', ...reply }, { ...NONE, names: ['$a', '$b'] }],
    ['a reference', { rel_type: 'm.reference', event_id: '$b' }, { ...NONE, names: ['$b'] }],
    ['a reaction', { rel_type: 'm.annotation', event_id: '$b' }, { ...NONE, annotates: '$b', names: ['$b'] }],
    ['no object', 'x', null],
    ['a list', [], null],
    ['a reply to nothing', { 'm.in_reply_to': {} }, null],
    ['a reply that is a text', { 'm.in_reply_to': '$a' }, null],
    ['a reply to a list', { 'm.in_reply_to': ['$a'] }, null],
    ['a reply to no event', { 'm.in_reply_to': { event_id: '!a' } }, null],
    ['a target without a kind', { event_id: '$b' }, null],
    ['a kind without a target', { rel_type: 'm.thread' }, null],
    ['a kind to no event', { rel_type: 'm.thread', event_id: 7 }, null],
    ['another kind', { rel_type: 'm.other', event_id: '$b' }, null],
    ['a kind that is no text', { rel_type: ['m.thread'], event_id: '$b' }, null],
    ['an edit without new content', { rel_type: 'm.replace', event_id: '$b' }, null],
  ])('%s', (_, relates, said) => expect(relationsOf({ body: 'x', 'm.relates_to': relates })).toEqual(said));

  it('an edit', () => {
    const relates = { rel_type: 'm.replace', event_id: '$b' };
    const said = (content: unknown) => relationsOf({ 'm.relates_to': relates, 'm.new_content': content });
    expect(said({ body: 'y' })).toEqual({ replaces: '$b', annotates: null, names: ['$b'] });
    for (const none of ['y', [], null]) expect(said(none)).toBeNull();
  });

  it('ids of events are texts that begin with a dollar sign', () => {
    for (const id of ['$a', '$a:x.org', `$${'a'.repeat(254)}`]) expect(isEventId(id)).toBe(true);
    for (const id of ['a', '$', '$ a', ` $a`, '$a\n', `$${'a'.repeat(255)}`, 7, ['$a'], null])
      expect([id, isEventId(id)]).toEqual([id, false]);
  });
});

describe('a reaction', () => {
  const reaction = (relates: object, more: object = {}) =>
    isReaction({
      'm.relates_to': { rel_type: 'm.annotation', event_id: '$a', key: '👍', ...relates },
      ...more,
    });
  it.each<[string, object, object, boolean]>([
    ['as it is', {}, {}, true],
    ['with its short name', {}, { shortcode: 'ok' }, true],
    ['with the other short name', {}, { 'com.beeper.reaction.shortcode': 'ok' }, true],
    ['with the longest key', { key: 'k'.repeat(200) }, {}, true],
    ['with a longer key', { key: 'k'.repeat(201) }, {}, false],
    ['with an empty key', { key: '' }, {}, false],
    ['with a key that is none', { key: ['x'] }, {}, false],
    ['with more in its relation', { extra: 'x' }, {}, false],
    ['with more beside it', {}, { body: 'x' }, false],
    ['with a long short name', {}, { shortcode: 'k'.repeat(201) }, false],
    ['with a short name that is none', {}, { shortcode: 7 }, false],
    ['of another kind', { rel_type: 'm.thread' }, {}, false],
  ])('%s: %j %j is %s', (_, relates, more, is) => expect(reaction(relates, more)).toBe(is));
  it('without a relation is none', () => expect(isReaction({})).toBe(false));
});

describe('what would ring everybody', () => {
  const people = (count: number) => Array.from({ length: count }, (_, index) => `@u${index}:x`);
  it.each<[string, object, boolean]>([
    ['nothing', { body: 'hello' }, false],
    ['its text, in any case', { body: 'hello @Room!' }, true],
    ['its text, where mentions are said', { body: '@room', 'm.mentions': {} }, false],
    ['a body that is no text', { body: ['@room'] }, false],
    ['a mention', { body: '', 'm.mentions': { room: true } }, true],
    ['a mention that is no truth value', { body: '', 'm.mentions': { room: 'yes' } }, true],
    ['a mention that is none', { body: '', 'm.mentions': { room: false } }, false],
    ['mentions that are none', { body: '', 'm.mentions': [] }, true],
    ['as many people as one message answers to', { 'm.mentions': { user_ids: people(20) } }, false],
    ['more people', { 'm.mentions': { user_ids: people(21) } }, true],
    ['people that are no list', { 'm.mentions': { user_ids: { length: 99 } } }, false],
    ['what would take its place', { body: 'x', 'm.new_content': { body: '@room' } }, true],
    ['itself, whatever takes its place', { body: '@room', 'm.new_content': { body: 'x' } }, true],
  ])('%s', (_, content, rings) => expect(mentionsRoom(content as Record<string, unknown>)).toBe(rings));
});

it('what is more than shown has another kind of the specification’s, itself or in its place', () => {
  const request = { msgtype: 'm.key.verification.request' };
  expect(hasForbiddenMsgtype(request)).toBe(true);
  expect(hasForbiddenMsgtype({ msgtype: 'm.text', 'm.new_content': request })).toBe(true);
  expect(hasForbiddenMsgtype({ ...request, 'm.new_content': { msgtype: 'm.text' } })).toBe(true);
  expect(hasForbiddenMsgtype({ msgtype: 'm.text' })).toBe(false);
  expect(hasForbiddenMsgtype({ msgtype: 7 })).toBe(false);
  for (const kind of ['text', 'emote', 'notice', 'image', 'file', 'audio', 'location', 'video'])
    expect([kind, hasForbiddenMsgtype({ msgtype: `m.${kind}` })]).toEqual([kind, false]);
  for (const kind of ['m.server_notice', 'm.', 'm.texts', 'm.other'])
    expect(hasForbiddenMsgtype({ msgtype: kind })).toBe(true);
  for (const kind of ['com.example.kind', 'text', ''])
    expect(hasForbiddenMsgtype({ msgtype: kind })).toBe(false);
});
