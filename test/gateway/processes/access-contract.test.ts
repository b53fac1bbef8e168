import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { GrantId, RoomId } from '../../../src/domain/ids.ts';
import { hashToken, newToken } from '../../../src/domain/token.ts';
import { createAccessControl } from '../../../src/lifecycle/access/access.ts';
import type {
  AccessControl,
  TokenVerification,
  UpstreamToken,
} from '../../../src/lifecycle/access/access-control.ts';
import { watchSubjectsOnce } from '../../../src/lifecycle/subjects/watch-subjects.ts';
import { Service } from '../../lifecycle/support/harness.ts';
import { ALICE, LOBBY, OPS } from '../../lifecycle/support/homeserver.ts';
import { memoryTransactions } from '../support/memory-transactions.ts';
import { pair } from './ipc-pair.ts';

const HOUR = 3_600_000;
const rooms = (presented: TokenVerification) =>
  presented.kind === 'valid' ? [...presented.access.rooms].toSorted() : presented.kind;

/** The access control itself, or what a gateway process has of it. */
const KINDS: Record<
  string,
  (service: Service, own: AccessControl) => { access: AccessControl; close: () => void }
> = {
  "in the bot's process": (_, access) => ({ access, close: () => undefined }),
  'in a process beside it': (service, own) => {
    const both = pair(
      { access: own, ledger: service.ledger, transactions: memoryTransactions() },
      service.clock.now,
    );
    return { access: both.access, close: () => both[Symbol.dispose]() };
  },
};

for (const [name, make] of Object.entries(KINDS)) {
  describe(`access control ${name}`, () => {
    async function delivered(fields: Parameters<Service['mint']>[0] = {}) {
      const service = await Service.start();
      const grant = await service.mint(fields);
      await service.drain();
      const token = service.tokensSeen()[0]?.token ?? '';
      const own = createAccessControl(service.services);
      const { access, close } = make(service, own);
      const over: GrantId[] = [];
      access.onGrantInactive((id) => over.push(id));
      return {
        service,
        grant,
        token,
        access,
        over,
        [Symbol.asyncDispose]: async () => {
          close();
          own.close();
          await service[Symbol.asyncDispose]();
        },
      };
    }

    it('knows a good token, at once the second time', async () => {
      await using given = await delivered();
      expect(rooms(await given.access.verifyToken(given.token))).toEqual([OPS]);
      const second = given.access.verifyToken(given.token);
      expect(second).not.toBeInstanceOf(Promise);
      expect(rooms(await second)).toEqual([OPS]);
    });

    it('tells a wrong secret, an unknown id and what is no token of ours apart for nobody', async () => {
      await using given = await delivered();
      const { access, grant, token } = given;
      for (const proven of [false, true]) {
        if (proven) await access.verifyToken(token);
        for (const wrong of [
          newToken(grant.id, randomBytes),
          newToken('000000' as GrantId, randomBytes),
          'syt_something',
          '',
          token.slice(0, -1),
        ])
          for (let times = 0; times < 2; times++)
            expect(await access.verifyToken(wrong)).toEqual({ kind: 'invalid', grantId: null });
      }
      expect((await access.verifyToken(token)).kind).toBe('valid');
    });

    it('refuses from the commit of a revocation on, even what is asked at the same moment', async () => {
      await using given = await delivered();
      const { service, access, token, grant, over } = given;
      await access.verifyToken(token);
      const asked: (TokenVerification | Promise<TokenVerification>)[] = [];
      service.ledger.onCommitted(() => void asked.push(access.verifyToken(token)));
      await service.revoke(grant);
      expect((await asked[0])?.kind).toBe('invalid');
      expect((await access.verifyToken(token)).kind).toBe('invalid');
      expect(over).toContain(grant.id);
      await expect(access.upstreamToken(grant.id)).rejects.toMatchObject({ code: 'not-allowed' });
    });

    describe('on a connection that a token was proven on', () => {
      it('refuses a revoked token from its commit on', async () => {
        await using given = await delivered();
        const { service, access, token, grant } = given;
        const connection = {};
        for (let times = 0; times < 3; times++)
          expect((await access.verifyToken(token, connection)).kind).toBe('valid');
        await service.revoke(grant);
        expect((await access.verifyToken(token, connection)).kind).toBe('invalid');
      });

      it('refuses an expired token, and suspends with a locked subject', async () => {
        await using given = await delivered();
        const { service, access, token, grant } = given;
        const connection = {};
        await access.verifyToken(token, connection);
        service.homeserver.change(ALICE, { locked: true });
        await watchSubjectsOnce(service.services);
        expect(await access.verifyToken(token, connection)).toEqual({ kind: 'suspended', grantId: grant.id });
        service.homeserver.change(ALICE, { locked: false });
        await watchSubjectsOnce(service.services);
        expect((await access.verifyToken(token, connection)).kind).toBe('valid');
        service.clock.at += HOUR;
        expect((await access.verifyToken(token, connection)).kind).toBe('invalid');
      });

      it('takes no other token for the proven one, and each for its own grant', async () => {
        await using given = await delivered();
        const { service, access, token, grant } = given;
        const other = await service.mint();
        await service.drain();
        const otherToken = service.tokensSeen().find((seen) => seen.token.includes(other.id))?.token ?? '';
        const connection = {};
        const grantOf = async (presented: string) => {
          const verified = await access.verifyToken(presented, connection);
          return verified.kind === 'valid' ? verified.access.grant.id : verified.kind;
        };
        expect(await grantOf(token)).toBe(grant.id);
        for (const wrong of [newToken(grant.id, randomBytes), `${token}x`, token.slice(0, -1), '', 'x'])
          expect(await grantOf(wrong)).toBe('invalid');
        expect(await grantOf(otherToken)).toBe(other.id);
        expect(await grantOf(token)).toBe(grant.id);
        await service.revoke(other);
        expect(await grantOf(otherToken)).toBe('invalid');
        expect(await grantOf(token)).toBe(grant.id);
      });

      it('takes no token whose low bytes alone are those of the proven one', async () => {
        await using given = await delivered();
        const { access, token } = given;
        const connection = {};
        await access.verifyToken(token, connection);
        const wide = Array.from(token, (each) => String.fromCodePoint(0x100 + (each.codePointAt(0) ?? 0)));
        expect((await access.verifyToken(wide.join(''), connection)).kind).toBe('invalid');
      });

      it('proves it again when the grant has another hash, and refuses the old secret', async () => {
        await using given = await delivered();
        const { service, access, token, grant } = given;
        const connection = {};
        await access.verifyToken(token, connection);
        const now = await service.grant(grant.id);
        const rotated = newToken(grant.id, randomBytes);
        const change = { ...now, revision: now.revision + 1, tokenHash: hashToken(rotated) };
        expect(await service.ledger.commit({ at: 1, grants: [change] })).toBe('committed');
        expect((await access.verifyToken(token, connection)).kind).toBe('invalid');
        expect((await access.verifyToken(rotated, connection)).kind).toBe('valid');
        expect((await access.verifyToken(token, connection)).kind).toBe('invalid');
      });
    });

    it('refuses from the moment a grant has expired, written down or not', async () => {
      await using given = await delivered();
      await given.access.verifyToken(given.token);
      given.service.clock.at += HOUR - 1;
      expect((await given.access.verifyToken(given.token)).kind).toBe('valid');
      given.service.clock.at += 1;
      expect((await given.access.verifyToken(given.token)).kind).toBe('invalid');
    });

    it('suspends with a locked subject, and revives with them', async () => {
      await using given = await delivered({ rooms: 'all' });
      const { service, access, token, grant, over } = given;
      await access.verifyToken(token);
      service.homeserver.change(ALICE, { locked: true });
      await watchSubjectsOnce(service.services);
      expect(await access.verifyToken(token)).toEqual({ kind: 'suspended', grantId: grant.id });
      await turn();
      expect(over).toEqual([grant.id]);
      service.homeserver.change(ALICE, { locked: false });
      await watchSubjectsOnce(service.services);
      expect(rooms(await access.verifyToken(token))).toEqual([LOBBY, OPS]);
    });

    it('closes a room that is excluded, to what was judged before too', async () => {
      await using given = await delivered({ rooms: 'all' });
      const { service, access, token } = given;
      const before = await access.verifyToken(token);
      await service.ledger.commit({
        at: 1,
        excluded: [{ roomId: LOBBY, why: 'server-notices', userId: ALICE }],
      });
      expect(rooms(await access.verifyToken(token))).toEqual([OPS]);
      expect(rooms(before)).toEqual([OPS]);
    });

    it('opens a room the subject has joined when it is asked to look', async () => {
      await using given = await delivered({ rooms: 'all' });
      const { service, access, token, grant } = given;
      const before = await access.verifyToken(token);
      const third = '!third:example.org' as RoomId;
      service.homeserver.change(ALICE, { joinedRooms: [OPS, third] });
      service.clock.at += 1_001;
      expect([...((await access.refreshRooms(grant.id))?.rooms ?? [])].toSorted()).toEqual(
        [OPS, third].toSorted(),
      );
      expect(rooms(before)).toEqual([OPS, third].toSorted());
    });

    it('looks again at what it knows, where that is asked for, within the second too', async () => {
      await using given = await delivered({ rooms: 'all' });
      const { service, access, token, grant } = given;
      const before = await access.verifyToken(token);
      expect(rooms(before)).toContain(OPS);
      service.homeserver.change(ALICE, { joinedRooms: [] });
      const looked = await Promise.all([1, 2, 3].map(() => access.refreshRooms(grant.id, 'again')));
      for (const one of looked) expect([...(one?.rooms ?? [])]).toEqual([]);
      expect(rooms(before)).toEqual([]);
    });

    it('says it as it is when the rooms cannot be looked up', async () => {
      await using given = await delivered({ rooms: 'all' });
      given.service.homeserver.fault = (call) => (call === 'subject' ? 'lost' : null);
      await expect(async () => given.access.verifyToken(given.token)).rejects.toMatchObject({
        code: 'homeserver-unreachable',
      });
    });

    it('gives the upstream token, and another for one that the homeserver does not know', async () => {
      await using given = await delivered();
      const { service, access, token, grant } = given;
      await access.verifyToken(token);
      const first = await access.upstreamToken(grant.id);
      expect(service.homeserver.alive()).toEqual([first.token]);
      expect(access.upstreamToken(grant.id)).not.toBeInstanceOf(Promise);
      service.homeserver.tokens.clear();
      const second = (await access.replaceUpstreamToken(grant.id, first.leaseId)) as UpstreamToken;
      expect(second.leaseId).not.toBe(first.leaseId);
      expect(await access.upstreamToken(grant.id)).toMatchObject(second);
    });

    it('ends a grant with its subject', async () => {
      await using given = await delivered();
      const { service, access, token, grant, over } = given;
      await access.verifyToken(token);
      const first = await access.upstreamToken(grant.id);
      service.homeserver.change(ALICE, { deactivated: true });
      expect(await access.replaceUpstreamToken(grant.id, first.leaseId)).toBe('gone');
      expect(over).toContain(grant.id);
      expect((await access.verifyToken(token)).kind).toBe('invalid');
    });

    it('ends a grant whose holder logs out', async () => {
      await using given = await delivered();
      const { service, access, token, grant, over } = given;
      await access.verifyToken(token);
      await access.withdraw(grant.id);
      expect(over).toContain(grant.id);
      expect((await access.verifyToken(token)).kind).toBe('invalid');
      expect(await access.refreshRooms(grant.id)).toBeNull();
      expect(await service.grant(grant.id)).toMatchObject({ endCause: 'withdrawn', endedBy: 'holder' });
    });
  });
}
