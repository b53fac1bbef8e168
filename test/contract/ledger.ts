import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainFault, CHAIN_START } from '../../src/domain/audit.ts';
import type { Change } from '../../src/domain/change.ts';
import { markEnded, markLive } from '../../src/domain/grant.ts';
import type { EventId, GrantId, LeaseId, MessageId, RoomId, UserId } from '../../src/domain/ids.ts';
import type { Ledger } from '../../src/ports/ledger.ts';
import {
  ADMIN,
  ALICE,
  NOON,
  sampleAudit,
  sampleCommand,
  sampleGrant,
  sampleLease,
  sampleMessage,
} from './sample.ts';

/** A ledger that starts empty, and the way to come back to it after its process has gone. */
export type LedgerUnderTest = {
  readonly ledger: Ledger;
  /** Closes the ledger and opens it again. */
  readonly reopen: () => Promise<Ledger>;
  readonly cleanup: () => Promise<void>;
};

const ids = (rows: readonly { readonly id: string }[]) => rows.map((row) => row.id);

/** What every ledger promises, whatever it is made of. */
export function ledgerContract(name: string, make: () => Promise<LedgerUnderTest>): void {
  describe(`the ledger over ${name}`, () => {
    let under: LedgerUnderTest;
    let ledger: Ledger;
    beforeEach(async () => {
      under = await make();
      ledger = under.ledger;
    });
    afterEach(() => under.cleanup());

    const commit = (change: Partial<Change>) => ledger.commit({ at: NOON, ...change });
    const grant = sampleGrant({
      id: 'AAAAA1',
      sealedToken: 'sealed',
      command: '$c' as EventId,
      nextActionAt: NOON,
    });
    const lease = sampleLease({ id: 'l1', grantId: grant.id, sealed: 'sealed lease', nextActionAt: NOON });
    const message = sampleMessage({ id: 'm1', grantId: grant.id, nextActionAt: NOON });

    describe('uses', () => {
      it('are counted up to so many and no further, after a restart too', async () => {
        await commit({ grants: [grant, sampleGrant({ id: 'AAAAA2' })] });
        expect(await ledger.uses(grant.id)).toBe(0);
        expect([await ledger.use(grant.id, 3), await ledger.use(grant.id, 3)]).toEqual([1, 2]);
        ledger = await under.reopen();
        expect(await ledger.uses(grant.id)).toBe(2);
        expect([
          await ledger.use(grant.id, 3),
          await ledger.use(grant.id, 3),
          await ledger.use(grant.id, 2),
        ]).toEqual([3, null, null]);
        expect([await ledger.uses(grant.id), await ledger.uses('AAAAA2' as GrantId)]).toEqual([3, 0]);
        expect(await ledger.use('AAAAA2' as GrantId, 0)).toBeNull();
        expect(await ledger.use('AAAAA2' as GrantId, 1)).toBe(1);
      });

      it('of a grant that is not there are none', async () => {
        await expect(ledger.use('ZZZZZ9' as GrantId, 1)).rejects.toMatchObject({ name: 'MintwardenError' });
      });
    });

    describe('commit', () => {
      it('gives back exactly what was written, after a restart too', async () => {
        const change = { grants: [grant], leases: [lease], messages: [message], audit: [sampleAudit()] };
        expect(await commit(change)).toBe('committed');
        for (const reopen of [false, true]) {
          const reader = reopen ? await under.reopen() : ledger;
          expect(await reader.grant(grant.id)).toEqual(grant);
          expect(await reader.lease(lease.id)).toEqual(lease);
          expect(await reader.leases(grant.id)).toEqual([lease]);
          expect(await reader.message(message.id)).toEqual(message);
          expect(await reader.messages(grant.id)).toEqual([message]);
          expect(await reader.audit(0, 10)).toMatchObject([
            { ...sampleAudit(), seq: 1, previous: CHAIN_START },
          ]);
        }
      });

      it('writes every field of every kind of row', async () => {
        const over = {
          ...markEnded(
            markLive({ ...grant, scope: { v: 1, rooms: 'all', can: [] } }),
            'lost-upstream',
            'operator:root',
            NOON + 2,
          ),
          revision: 1,
          suspended: true,
          failure: 'a sentence',
          nextActionAt: 7,
        };
        const said = sampleMessage({
          id: 'm2',
          after: 'm1',
          to: { kind: 'control', replyTo: '$r' as EventId },
          body: { kind: 'upstream-alive', why: 'orphan', until: 3 },
          state: 'accepted',
          channel: 'server-notice',
          firstTriedAt: 1,
          triedBy: 'DEVICE',
          attempts: 2,
          lastProblem: 'p',
          giveUpAt: 3,
          roomId: '!r' as RoomId,
          eventId: '$e' as EventId,
          acceptedAt: 4,
          redactAt: 5,
          redactedAt: 6,
        });
        const dead = sampleLease({
          id: 'l2',
          grantId: grant.id,
          state: 'dead',
          attempts: 3,
          lastProblem: 'p',
        });
        // The message comes before the one it waits for: order within a change must not matter.
        await commit({ grants: [over], leases: [dead], messages: [said, message] });
        expect(await ledger.grant(over.id)).toEqual(over);
        expect(await ledger.lease(dead.id)).toEqual(dead);
        expect(await ledger.message(said.id)).toEqual(said);
      });

      it('tells what is not there from what is', async () => {
        expect(await ledger.grant('ZZZZZZ' as GrantId)).toBeNull();
        expect(await ledger.lease('x' as LeaseId)).toBeNull();
        expect(await ledger.message('x' as MessageId)).toBeNull();
        expect(await ledger.leases('ZZZZZZ' as GrantId)).toEqual([]);
        expect(await ledger.pin(ALICE)).toBeNull();
      });

      it('takes an update of the revision it follows, and no other', async () => {
        await commit({ grants: [grant] });
        for (const revision of [0, 1, 3, -1])
          expect(await commit({ grants: [{ ...grant, revision }] })).toBe('conflict');
        expect(await commit({ grants: [markLive(grant)] })).toBe('committed');
        expect(await commit({ grants: [markLive(grant)] })).toBe('conflict');
        expect((await ledger.grant(grant.id))?.state).toBe('live');
        expect(await commit({ leases: [{ ...lease, revision: 2 }] })).toBe('conflict');
        expect(await commit({ messages: [{ ...message, revision: 2 }] })).toBe('conflict');
      });

      it('writes nothing at all on a conflict', async () => {
        await commit({ grants: [grant] });
        const before = await ledger.counts();
        const change = {
          command: sampleCommand('$late', 's', 1),
          grants: [sampleGrant({ id: 'BBBBB1' }), { ...grant, revision: 5 }],
          leases: [lease],
          messages: [message],
          excluded: [{ roomId: '!x' as RoomId, why: 'control' as const, userId: null }],
          pins: [{ userId: ALICE, masterKey: 'k', at: NOON }],
          audit: [sampleAudit()],
        };
        expect(await commit(change)).toBe('conflict');
        expect(await ledger.counts()).toEqual(before);
        expect(await ledger.commandSeen('$late' as EventId, 's', 1)).toBe(false);
        expect(await ledger.excluded()).toEqual([]);
        expect(await ledger.pin(ALICE)).toBeNull();
        expect(await ledger.audit(0, 10)).toEqual([]);
      });

      it('writes nothing at all where a rule of the data is broken, and goes on after it', async () => {
        const orphan = sampleLease({ id: 'l9', grantId: 'NOGRNT' as GrantId });
        const refused = { code: 'internal' };
        await expect(
          commit({ grants: [grant], leases: [orphan], audit: [sampleAudit()] }),
        ).rejects.toMatchObject(refused);
        await expect(
          commit({ messages: [sampleMessage({ id: 'm', after: 'nowhere' })] }),
        ).rejects.toMatchObject(refused);
        expect(await ledger.grant(grant.id)).toBeNull();
        expect(await commit({ grants: [grant], audit: [sampleAudit()] })).toBe('committed');
        expect((await ledger.counts()).auditRows).toBe(1);
      });

      it('lets one of two writers that saw the same revision win', async () => {
        await commit({ grants: [grant] });
        const both = await Promise.all([
          commit({ grants: [markLive(grant)] }),
          commit({ grants: [markEnded(grant, 'revoked', ADMIN, NOON)] }),
        ]);
        expect(both.toSorted()).toEqual(['committed', 'conflict']);
      });

      it('never brings back a grant that is over, nor gives it to somebody else, nor gives out a token twice', async () => {
        const over = markEnded(grant, 'revoked', ADMIN, NOON);
        await commit({ grants: [grant] });
        await commit({ grants: [over] });
        const refused = { code: 'internal' };
        await expect(commit({ grants: [{ ...over, revision: 3, state: 'live' }] })).rejects.toMatchObject(
          refused,
        );
        await expect(commit({ grants: [{ ...over, revision: 3, subject: ADMIN }] })).rejects.toMatchObject(
          refused,
        );
        await expect(
          commit({ grants: [sampleGrant({ id: 'CCCCC1', tokenHash: grant.tokenHash })] }),
        ).rejects.toMatchObject(refused);
        expect(await ledger.grant(grant.id)).toEqual(over);
      });
    });

    describe('commands', () => {
      it('are acted on once by event id, whatever else is in the change', async () => {
        expect(await commit({ command: sampleCommand('$one', 's', 1), grants: [grant] })).toBe('committed');
        expect(await commit({ command: sampleCommand('$one', 't', 9), audit: [sampleAudit()] })).toBe('seen');
        // Seen comes before conflict: the second delivery of a command is not somebody else's write.
        expect(await commit({ command: sampleCommand('$one'), grants: [grant] })).toBe('seen');
        expect(await ledger.audit(0, 10)).toEqual([]);
      });

      it('are acted on once by session and index, so that a replayed ciphertext does nothing', async () => {
        await commit({ command: sampleCommand('$one', 's', 1) });
        expect(await commit({ command: sampleCommand('$replay', 's', 1), grants: [grant] })).toBe('seen');
        expect(await ledger.grant(grant.id)).toBeNull();
        expect(await commit({ command: sampleCommand('$two', 's', 2) })).toBe('committed');
        expect(await commit({ command: sampleCommand('$three', 't', 1) })).toBe('committed');
        expect(await commit({ command: sampleCommand('$four', 's', 0) })).toBe('committed');
      });

      it('that came without a session are told apart by event id alone', async () => {
        expect(await commit({ command: sampleCommand('$a') })).toBe('committed');
        expect(await commit({ command: sampleCommand('$b') })).toBe('committed');
      });

      it('are remembered after a restart', async () => {
        await commit({ command: sampleCommand('$one', 's', 1) });
        const reader = await under.reopen();
        const event = (id: string) => id as EventId;
        expect(await reader.commandSeen(event('$one'), null, null)).toBe(true);
        expect(await reader.commandSeen(event('$replay'), 's', 1)).toBe(true);
        expect(await reader.commandSeen(event('$other'), 's', 2)).toBe(false);
        expect(await reader.commandSeen(event('$other'), null, null)).toBe(false);
        expect(await reader.commit({ at: NOON, command: sampleCommand('$replay', 's', 1) })).toBe('seen');
      });
    });

    describe('listeners', () => {
      it('hear of each commit before it resolves, in order, and only of commits', async () => {
        const heard: number[] = [];
        const stop = ledger.onCommitted((change) => heard.push(change.at));
        await ledger.commit({ at: 1, grants: [grant] }).then(() => heard.push(-1));
        await ledger.commit({ at: 2, grants: [grant] });
        await ledger.commit({ at: 3 });
        stop();
        await ledger.commit({ at: 4 });
        expect(heard).toEqual([1, -1, 3]);
      });

      it('cannot harm the commit or each other, and can look at what was committed', async () => {
        const heard: string[] = [];
        ledger.onCommitted(() => {
          throw new Error('broken listener');
        });
        let looked: Promise<unknown> = Promise.resolve();
        ledger.onCommitted(() => {
          heard.push('second');
          looked = ledger.grant(grant.id);
        });
        expect(await commit({ grants: [grant] })).toBe('committed');
        expect(heard).toEqual(['second']);
        expect(await looked).toEqual(grant);
      });
    });

    describe('grants', () => {
      const list = ['AAAAA1', 'AAAAB2', 'AAABB3', 'BBBBB4'].map((id, index) =>
        sampleGrant({
          id,
          createdAt: NOON + Math.floor(index / 2),
          subject: (index === 3 ? '@bob:example.org' : ALICE) as UserId,
          minter: index === 0 ? 'operator:root' : ADMIN,
          state: index === 1 ? 'live' : 'minting',
        }),
      );

      it('are found by a prefix, as many as are asked for', async () => {
        await commit({ grants: list });
        expect(ids(await ledger.grantsByPrefix('AAAA', 10))).toEqual(['AAAAA1', 'AAAAB2']);
        expect(ids(await ledger.grantsByPrefix('AAA', 2))).toHaveLength(2);
        expect(ids(await ledger.grantsByPrefix('BBBBB4', 10))).toEqual(['BBBBB4']);
        for (const none of ['CCCC', '%', '____', 'aaaa', 'AAAAA1X'])
          expect(await ledger.grantsByPrefix(none, 10)).toEqual([]);
      });

      it('are listed newest first, by every filter', async () => {
        await commit({ grants: list });
        expect(ids(await ledger.grants({ limit: 10 }))).toEqual(['BBBBB4', 'AAABB3', 'AAAAB2', 'AAAAA1']);
        expect(ids(await ledger.grants({ limit: 2 }))).toEqual(['BBBBB4', 'AAABB3']);
        expect(ids(await ledger.grants({ states: ['live', 'ended'], limit: 9 }))).toEqual(['AAAAB2']);
        expect(ids(await ledger.grants({ states: [], limit: 9 }))).toEqual([]);
        expect(ids(await ledger.grants({ subject: ALICE, limit: 9 }))).toEqual([
          'AAABB3',
          'AAAAB2',
          'AAAAA1',
        ]);
        expect(ids(await ledger.grants({ minter: 'operator:root', limit: 9 }))).toEqual(['AAAAA1']);
        expect(
          ids(await ledger.grants({ minter: ADMIN, subject: ALICE, states: ['minting'], limit: 9 })),
        ).toEqual(['AAABB3']);
      });
    });

    describe('due', () => {
      it('gives what has come, the longest due first, and when the next is', async () => {
        await commit({
          grants: [
            sampleGrant({ id: 'LATER1', nextActionAt: NOON + 9 }),
            sampleGrant({ id: 'NOW111', nextActionAt: NOON }),
            sampleGrant({ id: 'FIRST1', nextActionAt: NOON - 5 }),
            sampleGrant({ id: 'NEVER1' }),
          ],
          leases: [sampleLease({ id: 'l', grantId: 'NOW111' as GrantId, nextActionAt: NOON + 4 })],
          messages: [sampleMessage({ id: 'm', nextActionAt: NOON + 6 })],
        });
        const due = await ledger.due(NOON, 10);
        expect(ids(due.grants)).toEqual(['FIRST1', 'NOW111']);
        expect(due.leases).toEqual([]);
        expect(due.nextAt).toBe(NOON + 4);
        expect(ids((await ledger.due(NOON, 1)).grants)).toEqual(['FIRST1']);
        expect(ids((await ledger.due(NOON + 4, 1)).leases)).toEqual(['l']);
        expect(ids((await ledger.due(NOON + 6, 1)).messages)).toEqual(['m']);
        expect((await ledger.due(NOON + 9, 10)).nextAt).toBeNull();
      });

      it('holds a message back until the one before it was accepted, and gives it when that was abandoned', async () => {
        const notice = sampleMessage({ id: 'notice', nextActionAt: NOON });
        await commit({
          messages: [notice, sampleMessage({ id: 'token', after: 'notice', nextActionAt: NOON })],
        });
        expect(ids((await ledger.due(NOON, 10)).messages)).toEqual(['notice']);
        const tried = { ...notice, revision: 2, attempts: 1, nextActionAt: NOON + 60 };
        await commit({ messages: [tried] });
        // The held-back one is no reason to wake up: nothing can be done for it yet.
        expect(await ledger.due(NOON, 10)).toMatchObject({ messages: [], nextAt: NOON + 60 });
        await commit({ messages: [{ ...tried, revision: 3, state: 'accepted', nextActionAt: null }] });
        expect(ids((await ledger.due(NOON, 10)).messages)).toEqual(['token']);
        await commit({ messages: [{ ...tried, revision: 4, state: 'abandoned', nextActionAt: null }] });
        expect(ids((await ledger.due(NOON, 10)).messages)).toEqual(['token']);
      });
    });

    describe('what must never be forgotten', () => {
      it('keeps excluded rooms, each once', async () => {
        const control = { roomId: '!c' as RoomId, why: 'control' as const, userId: null };
        const dm = { roomId: '!d' as RoomId, why: 'dm' as const, userId: ALICE };
        await commit({ excluded: [control, dm] });
        await commit({ excluded: [dm] });
        expect(await (await under.reopen()).excluded()).toEqual([control, dm]);
      });

      it('replaces a pin for one who knows what it was, and for nobody else', async () => {
        const pin = { userId: ALICE, masterKey: 'second', at: NOON };
        expect(await commit({ repins: [{ pin, before: 'first' }], grants: [grant] })).toBe('conflict');
        expect(await commit({ pins: [{ ...pin, masterKey: 'first' }] })).toBe('committed');
        expect(await commit({ repins: [{ pin, before: null }] })).toBe('conflict');
        expect(await commit({ repins: [{ pin, before: 'other' }] })).toBe('conflict');
        expect(await ledger.pin(ALICE)).toMatchObject({ masterKey: 'first' });
        expect(await commit({ repins: [{ pin, before: 'first' }] })).toBe('committed');
        expect(await (await under.reopen()).pin(ALICE)).toEqual(pin);
        expect(await ledger.grant(grant.id).catch(() => null)).toBeNull();
      });

      it('keeps the first key of a user: another one is a conflict, never an overwrite', async () => {
        const pin = { userId: ALICE, masterKey: 'first', at: NOON };
        expect(await commit({ pins: [pin] })).toBe('committed');
        expect(await commit({ pins: [{ ...pin, at: NOON + 1 }] })).toBe('committed');
        expect(await commit({ pins: [{ ...pin, masterKey: 'other' }], grants: [grant] })).toBe('conflict');
        expect(await (await under.reopen()).pin(ALICE)).toEqual(pin);
      });
    });

    describe('the audit', () => {
      it('is one chain over all commits, in order, and pages', async () => {
        await commit({ audit: [sampleAudit(), sampleAudit({ action: 'minted' })] });
        await commit({ audit: [] });
        await commit({ audit: [sampleAudit({ action: 'revoked', at: 1 })] });
        const reader = await under.reopen();
        const rows = await reader.audit(0, 10);
        expect(rows.map(({ seq, action }) => [seq, action])).toEqual([
          [1, 'mint-requested'],
          [2, 'minted'],
          [3, 'revoked'],
        ]);
        const { auditRows, auditHead } = await reader.counts();
        expect(chainFault(rows, { seq: auditRows, hash: auditHead })).toBeNull();
        expect([...(await reader.audit(0, 2)), ...(await reader.audit(2, 2))]).toEqual(rows);
        expect(await reader.audit(3, 2)).toEqual([]);
      });
    });

    it('counts', async () => {
      expect(await ledger.counts()).toMatchObject({
        grantsEver: 0,
        live: 0,
        messagesWaiting: 0,
        auditRows: 0,
        auditHead: CHAIN_START,
      });
      await commit({
        grants: [
          grant,
          sampleGrant({ id: 'BBBBB2', state: 'live' }),
          sampleGrant({ id: 'CCCCC3', state: 'failed' }),
        ],
        leases: [lease, sampleLease({ id: 'l2', grantId: grant.id, state: 'killing' })],
        messages: [message, sampleMessage({ id: 'm2', state: 'abandoned' })],
        audit: [sampleAudit()],
      });
      expect(await ledger.counts()).toMatchObject({
        grantsEver: 3,
        live: 1,
        leases: { asking: 1, alive: 0, killing: 1, dead: 0, orphan: 0, unkillable: 0 },
        messagesWaiting: 1,
        auditRows: 1,
        auditHead: (await ledger.audit(0, 1))[0]?.hash,
      });
    });

    it('refuses to answer once it is closed, rather than saying "not there"', async () => {
      await ledger.close();
      await ledger.close();
      const closed = { code: 'state' };
      await expect(ledger.grant(grant.id)).rejects.toMatchObject(closed);
      await expect(ledger.commit({ at: NOON })).rejects.toMatchObject(closed);
      await expect(ledger.commandSeen('$a' as EventId, null, null)).rejects.toMatchObject(closed);
    });
  });
}
