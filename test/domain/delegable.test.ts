import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CAPABILITIES, type Capability } from '../../src/domain/capability.ts';
import {
  harmlessTypes,
  mayGrantType,
  meansAnything,
  patternHolds,
  patternMeans,
  type Delegable,
} from '../../src/domain/delegable.ts';

/**
 * What is decided about types, said a second time and by real types rather than patterns: an entry that is lost
 * from the lists, or one that is added, has to be lost or added here as well.
 */
const DECIDED: Readonly<
  Partial<Record<Capability, Readonly<Record<Exclude<Delegable, 'by-name'>, string>>>>
> = {
  state: {
    never: `m.room.create m.room.power_levels m.room.tombstone m.room.member m.room.third_party_invite
      m.room.redaction m.reaction m.room.message m.room.encrypted m.sticker m.key.verification.start
      m.key.verification.request m.room_key m.room_key_request m.room_key.withheld m.forwarded_room_key
      m.secret.request m.secret.send m.dummy`,
    freely: `m.room.name m.room.topic m.room.avatar m.room.pinned_events m.beacon_info
      org.matrix.msc3672.beacon_info m.room.image_pack im.ponies.room_emotes`,
    'by-namespace': '',
  },
  send: {
    never: `m.reaction m.room.redaction m.key.verification.start m.key.verification.done m.room.create
      m.room.member m.room.power_levels`,
    freely: `m.room.message m.sticker m.message m.file m.image m.video m.audio m.voice m.location m.poll.start
      m.poll.response m.poll.end org.matrix.msc3381.poll.start org.matrix.msc3381.poll.response
      org.matrix.msc3381.poll.end m.beacon org.matrix.msc3672.beacon`,
    'by-namespace': '',
  },
  'account-data': {
    never: `m.ignored_user_list m.direct m.push_rules m.invite_permission_config m.invite_permissions
      org.matrix.msc4155.invite_permission_config org.matrix.msc4380.invite_permission_config m.invite_rules
      m.policies org.matrix.msc3847.policies org.matrix.msc3659.invite_rules m.local_notification_settings.DEVICE
      org.matrix.msc3890.local_notification_settings.DEVICE m.secret_storage.default_key m.secret_storage.key.KEY
      m.cross_signing.master m.cross_signing.self_signing m.cross_signing.user_signing m.megolm_backup.v1
      m.key_backup m.key_backup.v1 m.dehydrated_device org.matrix.msc2697.dehydrated_device
      org.matrix.msc3814 org.matrix.msc3814.v1 m.org.matrix.custom.backup_disabled m.identity_server
      m.accepted_terms m.widgets im.vector.setting.allowed_widgets im.vector.setting.integration_provisioning
      m.integration_manager m.integration_managers m.fully_read m.marked_unread com.famedly.marked_unread m.tag`,
    freely: 'm.recent_emoji io.element.recent_emoji im.vector.setting.breadcrumbs',
    'by-namespace': 'com.example.app.settings org.example.x fr.example.y.z',
  },
};

/** What gives power, runs in others' software or is read by bridges and bots: nobody means it by `send` or `m.*`. */
const BY_NAME: Readonly<Partial<Record<Capability, string>>> = {
  state: `m.room.server_acl m.room.encryption m.room.join_rules m.room.history_visibility m.room.guest_access
    m.room.canonical_alias m.room.aliases m.room.predecessor org.matrix.msc3946.room_predecessor m.room.policy
    m.room.retention org.matrix.msc1763.retention org.matrix.msc4284.policy m.space.child m.space.parent
    m.policy.rule.user org.matrix.mjolnir.rule.user m.room.rule.user m.widget m.widgets im.vector.modular.widgets
    m.room.bot.options m.call m.call.member m.rtc.member m.rtc.slot org.matrix.msc3401.call.member
    org.matrix.msc4143.rtc.member m.bridge uk.half-shot.bridge uk.half-shot.matrix-hookshot.generic.hook
    com.example.setting`,
  send: `m.room.encrypted m.call.invite m.rtc.notification org.matrix.msc4075.rtc.notification m.room.tombstone
    m.room.third_party_invite m.room.name m.room.topic m.room.avatar m.room.pinned_events m.room.server_acl
    m.room.join_rules m.space.child m.policy.rule.user m.widget m.room_key m.forwarded_room_key m.secret.send
    m.dummy com.example.command`,
  'account-data': `m.media_preview_config m.space_order m.something org.matrix.preview_urls im.vector.web.settings
    io.element.x plain one.two`,
};

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

describe('how a type may be granted', () => {
  const rows = Object.entries(DECIDED).flatMap(([capability, decided]) => [
    ...Object.entries(decided).flatMap(([how, types]) =>
      words(types).map((type) => [capability as Capability, type, how as Delegable] as const),
    ),
    ...words(BY_NAME[capability as Capability] ?? '').map(
      (type) => [capability as Capability, type, 'by-name'] as const,
    ),
  ]);
  it.each(rows)('%s of %s: %s', (capability, type, how) => expect(mayGrantType(capability, type)).toBe(how));

  it('only those types are free, whatever else there is', () => {
    for (const capability of ['send', 'state', 'account-data'] as const) {
      const free = words(DECIDED[capability]?.freely ?? '');
      expect(harmlessTypes(capability, '*').toSorted()).toEqual(free.toSorted());
      // Neighbours of every name that is known, in any of the lists.
      for (const [, type] of rows)
        for (const near of [`${type}x`, `${type}.x`, type.slice(0, -1), `x${type}`, type.toUpperCase()])
          if (!free.includes(near))
            expect([near, mayGrantType(capability, near)]).not.toEqual([near, 'freely']);
    }
  });

  it('an edit and a message in the clear are never what sending never is', () => {
    for (const type of words(DECIDED.send?.never ?? ''))
      for (const capability of ['edit', 'plaintext'] as const)
        expect([type, mayGrantType(capability, type)]).toEqual([type, 'never']);
    for (const capability of ['edit', 'plaintext'] as const)
      expect(mayGrantType(capability, 'm.room.message')).toBe('freely');
  });

  it('a reaction is a reaction, and where types mean nothing they decide nothing', () => {
    expect(mayGrantType('react', 'm.reaction')).toBe('freely');
    expect(mayGrantType('react', 'm.room.message')).toBe('never');
    const typed: readonly Capability[] = ['send', 'edit', 'plaintext', 'state', 'account-data', 'react'];
    for (const capability of CAPABILITIES.filter((each) => !typed.includes(each)))
      expect(mayGrantType(capability, 'm.room.power_levels')).toBe('freely');
    expect(() => mayGrantType('fly' as never, 'x')).toThrow(expect.objectContaining({ code: 'internal' }));
  });
});

describe('what a pattern stands for', () => {
  it.each<[Capability, string, string, boolean]>([
    ['send', '*', 'm.room.message', true],
    ['send', 'm.*', 'm.room.encrypted', false],
    ['send', 'm.room.encrypted', 'm.room.encrypted', true],
    ['send', 'm.room.message', 'm.sticker', false],
    ['send', 'm.reaction', 'm.reaction', false],
    ['state', 'm.room.*', 'm.room.topic', true],
    ['state', 'm.room.*', 'm.room.join_rules', false],
    ['account-data', 'com.example.*', 'com.example.x', true],
    ['account-data', 'com.*', 'com.example.x', false],
    ['account-data', 'com.example*', 'com.example.x', false],
    ['account-data', '*', 'com.example.x', false],
    ['account-data', 'com.example.x', 'com.example.x', true],
    ['account-data', 'm.*', 'm.recent_emoji', true],
    ['account-data', 'm.recent.*', 'm.recent_emoji', false],
    ['account-data', 'org.matrix.*', 'org.matrix.x.y', false],
    ['account-data', 'org.matrix.x.*', 'org.matrix.x.y', false],
  ])('%s:%s for %s: %s', (capability, pattern, type, means) => {
    expect(patternMeans(capability, pattern, type)).toBe(means);
  });

  it.each<[Capability, string, boolean]>([
    ['send', 'm.*', true],
    ['send', 'm.reaction', false],
    ['send', 'm.room.encrypted', true],
    ['send', 'com.example.*', false],
    ['state', 'm.key.verification.*', false],
    ['account-data', 'com.example.*', true],
    ['account-data', 'com.*', false],
    ['account-data', 'm.secret_storage.*', false],
    ['account-data', 'm.recent*', true],
    ['read', 'm.*', true],
  ])('%s:%s stands for something: %s', (capability, pattern, means) =>
    expect(meansAnything(capability, pattern)).toBe(means),
  );

  it.each<[Capability, string, string, boolean]>([
    ['send', 'm.*', 'm.room.*', true],
    ['send', 'm.room.*', 'm.*', false],
    ['send', '*', 'm.room.message', true],
    ['send', '*', 'm.room.encrypted', false],
    ['send', 'm.room.encrypted', 'm.room.encrypted', true],
    ['account-data', 'com.example.*', 'com.example.x.*', true],
    ['account-data', 'com.*', 'com.example.*', false],
    ['account-data', 'com.*', 'com.ex*', true],
    ['state', 'com.*', 'com.example.*', true],
  ])('%s:%s holds %s: %s', (capability, wider, narrower, holds) =>
    expect(patternHolds(capability, wider, narrower)).toBe(holds),
  );

  it('what holds another stands for all that the other stands for', () => {
    const segment = fc.constantFrom('m', 'room', 'org', 'matrix', 'com', 'example', 'message', 'x');
    const type = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
    const pattern = fc.tuple(type, fc.constantFrom('', '*', '.*')).map(([text, end]) => text + end);
    const capability = fc.constantFrom('send', 'state', 'account-data' as const) as fc.Arbitrary<Capability>;
    fc.assert(
      fc.property(capability, pattern, pattern, type, (which, wider, narrower, of) => {
        if (patternHolds(which, wider, narrower) && patternMeans(which, narrower, of))
          expect(patternMeans(which, wider, of)).toBe(true);
      }),
    );
  });
});
