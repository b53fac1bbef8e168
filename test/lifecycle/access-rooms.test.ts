import { describe, expect, it } from 'vitest';
import type { RoomId, UserId } from '../../src/domain/ids.ts';
import type { TokenVerification } from '../../src/lifecycle/access/access-control.ts';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import type { MintRequest } from '../../src/lifecycle/requests.ts';
import { Service } from './support/harness.ts';
import { ALICE, CONTROL, LOBBY, OPS } from './support/homeserver.ts';

const room = (name: string) => `!${name}:example.org` as RoomId;
const user = (name: string) => `@${name}` as UserId;
const [BRIDGED, LATER, OTHER, NEW] = [room('bridged'), room('later'), room('other'), room('new')];
const WHATSAPP = user('whatsappbot:example.org');
const rooms = (presented: TokenVerification) =>
  presented.kind === 'valid' ? [...presented.access.rooms].toSorted() : presented.kind;

/** A delivered grant over a homeserver that was made ready before. */
async function delivered(fields: Partial<MintRequest>, prepare: (service: Service) => void) {
  const service = await Service.start();
  prepare(service);
  const grant = await service.mint(fields);
  await service.drain();
  const token = service.tokensSeen()[0]?.token ?? '';
  const access = createAccessControl(service.services);
  const open = async () => rooms(await access.verifyToken(token));
  return {
    service,
    homeserver: service.homeserver,
    grant,
    access,
    open,
    /** As after news of these rooms, a second later. */
    after: async (...spokenOf: RoomId[]) => {
      service.clock.at += 1_000;
      return [...((await access.refreshRooms(grant.id, spokenOf))?.rooms ?? [])].toSorted();
    },
    [Symbol.asyncDispose]: async () => {
      access.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

describe('a scope by creator', () => {
  const by = (...patterns: string[]) => ({ rooms: 'all', limits: { by: patterns as never } }) as const;
  const bridged = ({ homeserver }: Service) => {
    homeserver.change(ALICE, { joinedRooms: [BRIDGED, OTHER, LOBBY] });
    homeserver.creators.set(BRIDGED, WHATSAPP).set(OTHER, ALICE);
  };

  it('opens the rooms those made, later ones too, and no other', async () => {
    await using it = await delivered(by('@whatsappbot:example.org', '@whatsapp_*:example.org'), bridged);
    // LOBBY: nobody knows who made it.
    expect(await it.open()).toEqual([BRIDGED]);
    it.homeserver.change(ALICE, { joinedRooms: [BRIDGED, OTHER, LOBBY, LATER, NEW] });
    it.homeserver.creators
      .set(LATER, user('whatsapp_123:example.org'))
      .set(NEW, user('whatsapp:example.org'));
    expect(await it.after(LATER)).toEqual([BRIDGED, LATER]);
    it.homeserver.change(ALICE, { joinedRooms: [OTHER] });
    expect(await it.after(room('unknown'))).toEqual([]);
  });

  it('is not opened by the same name on another server, or a longer one', async () => {
    await using it = await delivered(by('@whatsappbot:example.org'), (service) => {
      bridged(service);
      service.homeserver.creators
        .set(BRIDGED, user('whatsappbot:example.org.evil'))
        .set(OTHER, user('whatsappbot2:example.org'));
    });
    expect(await it.open()).toEqual([]);
  });

  it('opens invites whose room this homeserver itself knows, and joins of the others', async () => {
    await using it = await delivered(by('@whatsappbot:example.org'), (service) => {
      bridged(service);
      // What the invite to OTHER claims is not asked for: the homeserver has no state of it.
      service.homeserver.creators.delete(OTHER);
      service.homeserver.change(ALICE, { joinedRooms: [BRIDGED] });
      service.homeserver.creators.set(LATER, WHATSAPP).set(NEW, ALICE);
      service.homeserver.invited.set(ALICE, [LATER, NEW, OTHER]);
    });
    expect(await it.open()).toEqual([BRIDGED, LATER]);
    const asked = it.homeserver.calls.filter((call) => call === 'creator').length;
    // It is not asked for again and again either,
    expect(await it.after(OTHER)).toEqual([BRIDGED, LATER]);
    expect(it.homeserver.calls.filter((call) => call === 'creator')).toHaveLength(asked);
    // until the user is in it.
    it.homeserver.change(ALICE, { joinedRooms: [BRIDGED, OTHER] });
    it.homeserver.creators.set(OTHER, WHATSAPP);
    expect(await it.after(OTHER)).toEqual([BRIDGED, LATER, OTHER]);
  });

  it('never opens an excluded room, no matter who created it', async () => {
    await using it = await delivered(by('@mintwarden:example.org', '@whatsappbot:example.org'), (service) => {
      bridged(service);
      service.homeserver.change(ALICE, { joinedRooms: [BRIDGED, CONTROL, NEW], noticesRoom: NEW });
      service.homeserver.creators.set(CONTROL, WHATSAPP).set(NEW, WHATSAPP);
    });
    const dm = it.homeserver.dms.get(ALICE)?.roomId as RoomId;
    it.homeserver.creators.set(dm, user('mintwarden:example.org'));
    it.homeserver.change(ALICE, { joinedRooms: [BRIDGED, CONTROL, NEW, dm] });
    expect(await it.open()).toEqual([BRIDGED]);
    expect(await it.after(dm)).toEqual([BRIDGED]);
  });

  it('lets nobody reject the invite to where the user is told: of a new private chat, or of server notices', async () => {
    const notices = room('notices-alice');
    await using it = await delivered(by('@mintwarden:example.org', '@notices:example.org'), bridged);
    const { homeserver } = it;
    // The homeserver has invited them; nothing of it is on record here yet.
    homeserver.invited.set(ALICE, [NEW, notices]);
    homeserver.creators.set(NEW, user('mintwarden:example.org')).set(notices, user('notices:example.org'));
    homeserver.creators.set(LATER, user('notices:example.org'));
    expect(await it.open()).toEqual([]);
    expect(await it.after(NEW, notices)).toEqual([]);
    homeserver.invited.set(ALICE, [NEW, notices, LATER]);
    expect(await it.after(LATER)).toEqual([LATER]);
  });

  it('asks once for each room, and leaves closed what could not be asked for', async () => {
    await using it = await delivered(by('@whatsappbot:example.org'), bridged);
    it.homeserver.fault = (call) => (call === 'creator' ? 'lost' : null);
    expect(await it.open()).toEqual([]);
    it.homeserver.fault = () => null;
    expect(await it.after(NEW)).toEqual([BRIDGED]);
    const asked = it.homeserver.calls.filter((call) => call === 'creator').length;
    it.homeserver.creators.set(OTHER, WHATSAPP);
    expect(await it.after(NEW)).toEqual([BRIDGED]);
    // Only LOBBY, where the user is and of which nothing is known.
    expect(it.homeserver.calls.filter((call) => call === 'creator').length - asked).toBe(1);
  });

  it('misses no room that came while it was being looked at, or a moment after', async () => {
    await using it = await delivered(by('@whatsappbot:example.org'), bridged);
    const { homeserver, access, grant } = it;
    await it.open();
    // Within the second: the answer that speaks of it waits.
    homeserver.change(ALICE, { joinedRooms: [BRIDGED, LATER] });
    homeserver.creators.set(LATER, WHATSAPP).set(NEW, WHATSAPP);
    expect([...((await access.refreshRooms(grant.id, [LATER]))?.rooms ?? [])].toSorted()).toEqual([
      BRIDGED,
      LATER,
    ]);
    // While a look is under way that has asked already.
    it.service.clock.at += 1_000;
    const asked = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const { directory } = it.service.services;
    const slow = createAccessControl({
      ...it.service.services,
      directory: {
        ...directory,
        subject: async (user) => {
          const facts = await it.homeserver.directory().subject(user);
          asked.resolve();
          await go.promise;
          return facts;
        },
        creator: (id) => it.homeserver.directory().creator(id),
        invitedRooms: (id) => it.homeserver.directory().invitedRooms(id),
      },
    });
    const early = slow.refreshRooms(grant.id);
    await asked.promise;
    homeserver.change(ALICE, { joinedRooms: [BRIDGED, LATER, NEW] });
    const late = slow.refreshRooms(grant.id, [NEW]);
    go.resolve();
    expect((await early)?.rooms.has(NEW)).toBe(false);
    expect((await late)?.rooms.has(NEW)).toBe(true);
    slow.close();
  });

  it('is looked up again, whatever is known, where that is asked for: with a look that begins afterwards', async () => {
    await using it = await delivered(by('@whatsappbot:example.org'), bridged);
    expect(await it.open()).toEqual([BRIDGED]);
    it.homeserver.change(ALICE, { joinedRooms: [OTHER] });
    // Within the second, and of a room that is known.
    expect([...((await it.access.refreshRooms(it.grant.id, [BRIDGED]))?.rooms ?? [])]).toEqual([BRIDGED]);
    const again = await Promise.all([1, 2, 3].map(() => it.access.refreshRooms(it.grant.id, 'again')));
    for (const one of again) expect([...(one?.rooms ?? [])]).toEqual([]);
    it.homeserver.fault = () => 'lost';
    await expect(it.access.refreshRooms(it.grant.id, 'again')).rejects.toThrow(/homeserver/);
  });

  it('is not looked up again for rooms that are known to be closed', async () => {
    await using it = await delivered(by('@whatsappbot:example.org'), bridged);
    await it.open();
    const calls = it.homeserver.calls.length;
    expect(await it.after(OTHER, LOBBY, CONTROL)).toEqual([BRIDGED]);
    expect(it.homeserver.calls).toHaveLength(calls);
  });
});

describe('a room that is replaced', () => {
  const named = (followUpgrades: boolean): Partial<MintRequest> => ({
    rooms: [{ kind: 'id', roomId: OPS }],
    limits: followUpgrades ? { followUpgrades } : {},
  });

  it('is followed where that was asked for, once the user is in the new one', async () => {
    await using it = await delivered(named(true), () => undefined);
    expect(await it.open()).toEqual([OPS]);
    it.homeserver.replacements.set(OPS, NEW).set(NEW, LATER);
    expect(await it.after(room('x'))).toEqual([OPS]);
    it.homeserver.change(ALICE, { joinedRooms: [OPS, NEW] });
    expect(await it.after(NEW)).toEqual([NEW, OPS]);
    it.homeserver.change(ALICE, { joinedRooms: [OPS, NEW, LATER, OTHER] });
    expect(await it.after(LATER)).toEqual([LATER, NEW, OPS]);
    // And no longer where the tombstone is taken back.
    it.homeserver.replacements.delete(OPS);
    expect(await it.after(room('y'))).toEqual([OPS]);
  });

  it('and not otherwise', async () => {
    await using it = await delivered(named(false), ({ homeserver }) => {
      homeserver.replacements.set(OPS, NEW);
      homeserver.change(ALICE, { joinedRooms: [OPS, NEW] });
    });
    expect(await it.open()).toEqual([OPS]);
    expect(await it.after(NEW)).toEqual([OPS]);
    expect(it.homeserver.calls).not.toContain('replacement');
  });

  it('is not followed into what is outside every scope, nor round in circles', async () => {
    await using it = await delivered(named(true), ({ homeserver }) => {
      homeserver.change(ALICE, { joinedRooms: [OPS, NEW, CONTROL] });
      homeserver.replacements.set(OPS, NEW).set(NEW, CONTROL).set(CONTROL, OPS);
    });
    expect(await it.open()).toEqual([NEW, OPS]);
  });

  it('is followed so far and no further', async () => {
    const chain = Array.from({ length: 50 }, (_, index) => room(`r${index}`));
    await using it = await delivered(named(true), ({ homeserver }) => {
      homeserver.change(ALICE, { joinedRooms: [OPS, ...chain] });
      [OPS, ...chain].forEach((at, index) => homeserver.replacements.set(at, chain[index] ?? OPS));
    });
    expect(await it.open()).toHaveLength(21);
  });

  it('where it is asked for late, is followed within seconds', async () => {
    await using it = await delivered(named(true), ({ homeserver }) =>
      homeserver.change(ALICE, { joinedRooms: [OPS, NEW] }),
    );
    await it.open();
    it.homeserver.replacements.set(OPS, NEW);
    expect(await it.after(NEW)).toEqual([OPS]);
    it.service.clock.at += 5_000;
    expect(await it.after(NEW)).toEqual([NEW, OPS]);
  });
});
