import { afterEach, beforeEach, expect, test } from 'vitest';
import { requestKey } from '../../src/domain/change.ts';
import type { Grant } from '../../src/domain/grant.ts';
import type { Operator } from '../../src/domain/ids.ts';
import { hashToken } from '../../src/domain/token.ts';
import { deliver } from '../../src/lifecycle/notifications/deliver.ts';
import { deliverToOperator } from '../../src/lifecycle/notifications/operator-delivery.ts';
import { mint } from '../../src/lifecycle/mint/mint.ts';
import { revoke } from '../../src/lifecycle/revocation/revoke.ts';
import { Service } from './support/harness.ts';
import { CONTROL } from './support/homeserver.ts';

const ROOT: Operator = 'operator:root';
let service: Service;
let requests = 0;

beforeEach(async () => {
  service = await Service.start();
});
afterEach(async () => {
  await service[Symbol.asyncDispose]();
});

const key = () => requestKey(`request-${++requests}`, ROOT, service.clock.at);
const made = (): Promise<Grant> => service.mint({ minter: ROOT, intoFile: true, command: key() });

/** What the hand-over was given. */
function hand(): { readonly got: string[]; readonly take: (token: string) => Promise<void> } {
  const got: string[] = [];
  return { got, take: async (token) => void got.push(token) };
}

test('an operator takes the token once; nobody is sent it, and the subject and the room know who has it', async () => {
  const grant = await made();
  await service.drain();
  const { got, take } = hand();
  expect(await deliverToOperator(service.services, grant.id, ROOT, take, 50)).toMatchObject({
    delivery: 'sent',
    sealedToken: null,
  });
  expect(got.map(hashToken)).toEqual([grant.tokenHash]);
  expect(await service.grant(grant.id)).toMatchObject({
    state: 'live',
    delivery: 'sent',
    sealedToken: null,
    recipient: ROOT,
  });
  await expect(deliverToOperator(service.services, grant.id, ROOT, take, 50)).rejects.toThrow(/taken before/);
  expect(got).toHaveLength(1);

  expect(service.tokensSeen()).toEqual([]);
  const said = service.homeserver.events.map(({ content }) => content.body).join('\n');
  expect(said).toMatch(/Who gets it: the operator “root” at the server/);
  expect(said).toMatch(/Made by the operator “root” at the server/);
  expect(service.homeserver.sentTo(CONTROL)).toMatchObject([{ content: { replyTo: null } }]);
  const audit = await service.ledger.audit(0, 100);
  expect(audit.filter(({ action }) => action === 'delivered').map(({ data }) => data)).toEqual([
    { recipient: ROOT, into: 'file', afterEnd: false },
  ]);
  expect(audit.find(({ action }) => action === 'mint-requested')?.command).toMatch(/^exec:/);
  expect(await service.auditFault()).toBeNull();
  await service.pass(1_800_000);
  expect((await service.grant(grant.id)).state).toBe('live');
});

test('nothing is handed over before the subject was told', async () => {
  const grant = await made();
  const { got, take } = hand();
  await expect(deliverToOperator(service.services, grant.id, ROOT, take, 20)).rejects.toMatchObject({
    code: 'subject-unreachable',
  });
  expect(got).toEqual([]);
  const taking = deliverToOperator(service.services, grant.id, ROOT, take, 5_000);
  await service.drain();
  await taking;
  expect(got).toHaveLength(1);
});

test('a file that could not be written leaves the token waiting; another try takes it, or the grant ends', async () => {
  const [kept, lost] = [await made(), await made()];
  await service.drain();
  const full = async (): Promise<void> => Promise.reject(new Error('no space'));
  for (const { id } of [kept, lost])
    await expect(deliverToOperator(service.services, id, ROOT, full, 50)).rejects.toThrow('no space');
  expect(await service.grant(kept.id)).toMatchObject({ delivery: 'waiting' });
  expect((await service.messageOf(kept.id, 'token'))?.lastProblem).toMatch(/unexpected error/);
  const { got, take } = hand();
  await deliverToOperator(service.services, kept.id, ROOT, take, 50);
  expect(got.map(hashToken)).toEqual([kept.tokenHash]);
  await service.pass(900_001);
  expect(await service.grant(kept.id)).toMatchObject({ state: 'live' });
  expect(await service.grant(lost.id)).toMatchObject({
    state: 'ended',
    endCause: 'undelivered',
    sealedToken: null,
  });
  await expect(deliverToOperator(service.services, lost.id, ROOT, take, 50)).rejects.toThrow(/over already/);
  expect(got).toHaveLength(1);
});

test('nobody else’s token is handed to an operator, and no operator’s is sent', async () => {
  const [theirs, mine] = [await service.mint(), await made()];
  const { got, take } = hand();
  await expect(deliverToOperator(service.services, theirs.id, ROOT, take, 50)).rejects.toMatchObject({
    code: 'not-allowed',
  });
  await expect(
    deliverToOperator(service.services, mine.id, 'operator:mallory', take, 50),
  ).rejects.toMatchObject({
    code: 'not-allowed',
  });
  expect(got).toEqual([]);
  await expect(deliver(service.services, mine, 10)).rejects.toThrow(/waits to be taken/);
});

test('what was revoked is not handed over, and what is revoked on the way is worth nothing and written down', async () => {
  const grant = await made();
  await service.drain();
  const revoking = async (): Promise<void> => {
    await revoke(service.services, { grant, by: ROOT, as: 'admin', command: key() });
  };
  expect(await deliverToOperator(service.services, grant.id, ROOT, revoking, 50)).toMatchObject({
    state: 'ended',
  });
  const audit = await service.ledger.audit(0, 100);
  expect(audit.filter(({ action }) => action === 'delivered').map(({ data }) => data['afterEnd'])).toEqual([
    true,
  ]);
  await service.drain();
  const last = service.homeserver.sentTo(CONTROL).at(-1)?.content;
  expect(last).toMatchObject({ replyTo: null });
  expect(last?.body).toMatch(/has ended: the operator “root” at the server revoked it/);
  await expect(deliverToOperator(service.services, grant.id, ROOT, revoking, 50)).rejects.toThrow(
    /over already/,
  );
});

test('an operator without --to or a file is told so, and the same request twice mints once', async () => {
  await expect(service.mint({ minter: ROOT, command: key() })).rejects.toThrow(
    /no chat that the token could go to/,
  );
  // Whoever is no operator has no files here, whatever is asked.
  expect((await service.mint({ intoFile: true })).recipient).toMatch(/^@/);
  const command = key();
  await service.mint({ minter: ROOT, intoFile: true, command });
  expect(await mint(service.services, service.request({ minter: ROOT, intoFile: true, command }))).toEqual({
    kind: 'seen',
  });
});

test('a token on its way to a file survives kill -9 and can be taken after', async () => {
  const grant = await made();
  await service.drain();
  const dying = deliverToOperator(service.services, grant.id, ROOT, () => new Promise(() => undefined), 50);
  dying.catch(() => undefined);
  await expect.poll(async () => (await service.messageOf(grant.id, 'token'))?.attempts).toBe(1);
  await service.restart();
  expect((await service.messageOf(grant.id, 'token'))?.lastProblem).toMatch(/not confirmed/);
  const { got, take } = hand();
  await deliverToOperator(service.services, grant.id, ROOT, take, 50);
  expect(got.map(hashToken)).toEqual([grant.tokenHash]);
});
