import { describe, expect, it } from 'vitest';
import { MintwardenError } from '../../src/domain/errors.ts';
import type { IncidentKind } from '../../src/domain/incident.ts';
import type { ControlRoomState } from '../../src/ports/chat.ts';
import type { RoomId } from '../../src/domain/ids.ts';
import { createAccessControl } from '../../src/lifecycle/access/access.ts';
import { retryPendingRevocations } from '../../src/lifecycle/revocation/retry-pending.ts';
import { revoke } from '../../src/lifecycle/revocation/revoke.ts';
import { mint } from '../../src/lifecycle/mint/mint.ts';
import { controlRoomIncident } from '../../src/lifecycle/incidents/control-room.ts';
import { notifyIncidents } from '../../src/lifecycle/incidents/notify.ts';
import type { Services } from '../../src/lifecycle/services.ts';
import { Service } from './support/harness.ts';
import { ADMIN, BOT, CONTROL } from './support/homeserver.ts';
import { settled } from '../support/wait.ts';

const FULL = new MintwardenError('state', 'The disk is full.', 'Free some space.');

/** A service that tells of its incidents; `told` is what survives a restart. */
async function telling(told: IncidentKind[] = []) {
  const service = await Service.start();
  const incidents = service.services.incidents;
  const kept = { told: told as readonly IncidentKind[] };
  const store = {
    load: async () => kept.told,
    save: async (kinds: readonly IncidentKind[]) => void (kept.told = kinds),
  };
  const teller = notifyIncidents(service.services, store);
  await teller.ready;
  const inControl = async (): Promise<string[]> => {
    await settled();
    await service.drain();
    return service.homeserver.events
      .filter(({ roomId }) => roomId === CONTROL)
      .map(({ content }) => content.body);
  };
  return {
    service,
    incidents,
    kept,
    inControl,
    [Symbol.asyncDispose]: async () => {
      await teller.stop();
      await service[Symbol.asyncDispose]();
    },
  };
}

describe('an incident', () => {
  it('is told once when it begins, and once when it is over', async () => {
    await using given = await telling();
    const { incidents, inControl } = given;
    incidents.open('issuer-logged-out', 'It is logged out.', 'Run `mintwarden init`.');
    incidents.open('issuer-logged-out', 'It is logged out.', 'Run `mintwarden init`.');
    expect(await inControl()).toEqual([expect.stringMatching(/It is logged out.*mintwarden init/s)]);
    incidents.resolve('issuer-logged-out');
    incidents.resolve('issuer-logged-out');
    expect((await inControl()).slice(1)).toEqual([expect.stringMatching(/^Mended.*It is logged out/s)]);
  });

  it('is not reported again by a service that restarts during it', async () => {
    await using given = await telling(['issuer-logged-out']);
    given.incidents.open('issuer-logged-out', 'It is logged out.', 'Run `mintwarden init`.');
    expect(await given.inControl()).toEqual([]);
    given.incidents.resolve('issuer-logged-out');
    expect(await given.inControl()).toEqual([expect.stringMatching(/^Mended/)]);
    expect(given.kept.told).toEqual([]);
  });

  it('that gave way to another is not called fixed', async () => {
    await using given = await telling();
    given.incidents.open('issuer-logged-out', 'It is logged out.', 'Do.');
    given.incidents.resolve('issuer-logged-out', 'superseded');
    given.incidents.open('issuer-not-admin', 'It is no administrator.', 'Do.');
    const told = await given.inControl();
    expect(told).toHaveLength(2);
    expect(told.join()).not.toMatch(/Mended/);
  });

  it('that keeps the bot silent is told when it is over', async () => {
    await using given = await telling();
    given.incidents.open('bot-logged-out', 'The bot is logged out.', 'Do.');
    expect(await given.inControl()).toEqual([]);
    given.incidents.resolve('bot-logged-out');
    expect(await given.inControl()).toEqual([expect.stringMatching(/^Mended.*send them again/s)]);
  });

  it('of the control room is told to administrators in their chats', async () => {
    await using given = await telling();
    given.incidents.open('control-room-lost', 'The bot is not in it.', 'Invite it.');
    expect(await given.inControl()).toEqual([]);
    const dm = given.service.homeserver.events.filter(({ content }) =>
      content.body.includes('The bot is not in it.'),
    );
    expect(dm).toHaveLength(1);
    expect(
      (await given.service.ledger.excluded()).some(({ userId, why }) => userId === ADMIN && why === 'dm'),
    ).toBe(true);
  });

  it('of the disk stops mints before anything is asked', async () => {
    await using given = await telling();
    const { service, incidents } = given;
    incidents.open('disk', 'The disk is full.', 'Free some space.');
    await expect(mint({ ...service.services, incidents }, service.request())).rejects.toMatchObject({
      code: 'state',
      hint: 'Free some space.',
    });
  });
});

describe('the control room', () => {
  const well: ControlRoomState = {
    roomId: CONTROL,
    botJoined: true,
    encrypted: true,
    joinRule: 'invite',
    guestsAllowed: false,
    worldReadable: false,
    joined: [],
    invited: [],
    replacedBy: null,
  };

  it.each([
    ['all is well', {}, null],
    [
      'the bot is out, which says nothing of the rest',
      { botJoined: false, encrypted: false },
      'control-room-lost',
    ],
    ['it was upgraded', { replacedBy: '!new' as RoomId }, 'control-room-replaced'],
    ['its encryption is nonsense', { encrypted: false }, 'control-room-exposed'],
    ['it is public', { joinRule: 'public' }, 'control-room-exposed'],
    ['anyone can read it', { worldReadable: true }, 'control-room-exposed'],
    ['guests may join', { guestsAllowed: true }, 'control-room-exposed'],
  ])('%s', (_what, change, kind) => {
    expect(controlRoomIncident({ ...well, ...change }, BOT)?.kind ?? null).toBe(kind);
  });
});

describe('an end that cannot be written', () => {
  /** Services whose ledger takes nothing while `full` is set. */
  async function onFullDisk() {
    const service = await Service.start();
    const disk = { full: false };
    const { ledger } = service.services;
    const services: Services = {
      ...service.services,
      ledger: {
        ...ledger,
        onCommitted: (listener) => ledger.onCommitted(listener),
        commit: async (change) => (disk.full ? Promise.reject(FULL) : ledger.commit(change)),
      },
    };
    const grant = await service.mint();
    await service.drain();
    const token = service.tokensSeen()[0]?.token ?? '';
    return { service, services, disk, grant, token, access: createAccessControl(services) };
  }
  const asked = (grant: Awaited<ReturnType<typeof onFullDisk>>['grant'], service: Service) =>
    ({ grant, by: ADMIN, as: 'admin', command: service.command() }) as const;

  it('counts at the gateway from that moment, aborts what is open, and tells who asked that it is not recorded', async () => {
    const { service, services, disk, grant, token, access } = await onFullDisk();
    expect((await access.verifyToken(token)).kind).toBe('valid');
    const cut: string[] = [];
    access.onGrantInactive((id) => cut.push(id));
    disk.full = true;
    await expect(revoke(services, asked(grant, service))).rejects.toThrow(
      /could not be recorded.*refuses its token from now on/,
    );
    expect(cut).toEqual([grant.id]);
    expect((await access.verifyToken(token)).kind).toBe('invalid');
    expect(() => access.upstreamToken(grant.id)).toThrow(/does not count/);
    expect(await access.countUse(grant.id)).toBe(false);
    expect(await access.replaceUpstreamToken(grant.id, 'any' as never)).toBe('gone');
    expect(await access.refreshRooms(grant.id)).toBeNull();
    // A gateway that comes later, with nothing in its memory, is told the same.
    expect((await createAccessControl(services).verifyToken(token)).kind).toBe('invalid');
    await service[Symbol.asyncDispose]();
  });

  it('is written when there is room again, once', async () => {
    const { service, services, disk, grant, token, access } = await onFullDisk();
    disk.full = true;
    await revoke(services, asked(grant, service)).catch(() => undefined);
    await retryPendingRevocations(services);
    expect((await service.grant(grant.id)).state).toBe('live');
    disk.full = false;
    await retryPendingRevocations(services);
    expect(await service.grant(grant.id)).toMatchObject({
      state: 'ended',
      endCause: 'revoked',
      endedBy: ADMIN,
    });
    expect(services.pendingRevocations.all()).toEqual([]);
    expect((await access.verifyToken(token)).kind).toBe('invalid');
    await service.drain();
    expect(
      service.homeserver.events.filter(({ content }) => content.body.includes('has ended')),
    ).not.toHaveLength(0);
    await service[Symbol.asyncDispose]();
  });
});
