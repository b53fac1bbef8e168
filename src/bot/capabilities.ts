import type { AuditRow } from '../domain/audit.ts';
import type { CommandKey } from '../domain/change.ts';
import { MintwardenError } from '../domain/errors.ts';
import type { Explanation, Question } from '../domain/explanation.ts';
import type { Grant } from '../domain/grant.ts';
import type { Incident } from '../domain/incident.ts';
import { parseUserId, type Actor, type GrantId, type UserId } from '../domain/ids.ts';
import type { Policy } from '../domain/policy.ts';
import type { Lockdown } from '../lifecycle/lockdown.ts';
import { exposure } from '../lifecycle/incidents/control-room.ts';
import { locate } from '../lifecycle/locate.ts';
import { mint } from '../lifecycle/mint/mint.ts';
import { planMint } from '../lifecycle/mint/plan-mint.ts';
import { deliver, type DeliveryState } from '../lifecycle/notifications/deliver.ts';
import { show, status, type GrantReport, type Status } from '../lifecycle/report.ts';
import type { CommandOutcome, MintPlan, MintRequest } from '../lifecycle/requests.ts';
import { revoke } from '../lifecycle/revocation/revoke.ts';
import type { Services } from '../lifecycle/services.ts';
import type { GrantFilter } from '../ports/ledger.ts';
import type { Requests } from '../ports/requests.ts';
import type { CommandDescription, Place } from './command-description.ts';

/** Grants searched for one that the same command made before. */
const RECENT_GRANTS = 1_000;

/** How a command was given: every command may know it. */
export type Invocation = {
  readonly place: Place;
  /** A person, in their DM always; in the control room's place also an operator at the machine. */
  readonly sender: Actor;
  readonly key: CommandKey;
  readonly now: number;
};

/** What keeps the service from working as it should. */
export type Problems = {
  readonly lockdown: Lockdown | null;
  /** What is wrong with the control room; null: nothing. */
  readonly exposed: string | null;
  readonly incidents: readonly Incident[];
};

/**
 * Everything a command can be handed. Each is bound to the sender of the command: what is "own" speaks for
 * them, what is done is done in their name. A command names those it needs; see `defineCommand`.
 */
export type Capabilities = {
  readonly serverName: string;
  /** The policy as it is now. */
  readonly policy: () => Policy;
  /** The commands of this place, in the order of help. */
  readonly commands: readonly CommandDescription[];
  /** The grant somebody named. @throws MintwardenError as `locate` */
  readonly findGrant: (text: string) => Promise<Grant>;
  /** The same among the grants that speak for the sender; no other exists. */
  readonly findOwnGrant: (text: string) => Promise<Grant>;
  readonly listGrants: (filter: GrantFilter) => Promise<readonly Grant[]>;
  /** Grants that speak for the sender. */
  readonly listOwnGrants: (filter: Omit<GrantFilter, 'subject'>) => Promise<readonly Grant[]>;
  readonly reportGrant: (grant: Grant) => Promise<GrantReport>;
  readonly mint: (request: MintRequest) => Promise<CommandOutcome>;
  /** What a mint would make. @throws MintwardenError that says what is against it */
  readonly previewMint: (request: MintRequest) => Promise<MintPlan>;
  /** The grant that this same command made before: a client that lost its connection asks again. */
  readonly findEarlierMint: () => Promise<GrantId | null>;
  readonly revoke: (grant: Grant) => Promise<CommandOutcome>;
  /** Ends a grant as the person it speaks for. */
  readonly revokeOwn: (grant: Grant) => Promise<CommandOutcome>;
  readonly deliver: (grant: Grant) => Promise<DeliveryState>;
  /** What the gateway would make of a request; the homeserver is not asked. */
  readonly explainRequest: (question: Question, grant: Grant) => Promise<Explanation>;
  readonly readStatus: () => Promise<Status>;
  readonly readProblems: () => Promise<Problems>;
  /** The newest rows of the audit, the oldest of them first. */
  readonly newestAuditRows: (count: number) => Promise<readonly AuditRow[]>;
};

/** The capabilities of one invocation. */
export function createCapabilities(
  services: Services,
  requests: Requests,
  commands: readonly CommandDescription[],
  { sender, key }: Invocation,
): Capabilities {
  const { ledger, directory, chat, policy } = services;
  return {
    serverName: directory.serverName,
    policy,
    commands,
    findGrant: (text) => locate(services, text, null),
    findOwnGrant: (text) => locate(services, text, userIdOf(sender)),
    listGrants: (filter) => ledger.grants(filter),
    listOwnGrants: (filter) => ledger.grants({ ...filter, subject: userIdOf(sender) }),
    reportGrant: (grant) => show(services, grant),
    mint: (request) => mint(services, request),
    previewMint: (request) => planMint(services, { ...request, command: null }, 'preview'),
    async findEarlierMint() {
      const grants = await ledger.grants({ minter: sender, limit: RECENT_GRANTS });
      return grants.find(({ command }) => command === key.eventId)?.id ?? null;
    },
    revoke: (grant) => revoke(services, { grant, by: sender, as: 'admin', command: key }),
    revokeOwn: (grant) => revoke(services, { grant, by: userIdOf(sender), as: 'subject', command: key }),
    deliver: (grant) => deliver(services, grant),
    explainRequest: (question, grant) => requests.explain(question, grant),
    readStatus: () => status(services),
    readProblems: async () => ({
      lockdown: services.lockdown(),
      exposed: exposure(await chat.controlRoom()),
      incidents: services.incidents.current(),
    }),
    async newestAuditRows(count) {
      const { auditRows } = await ledger.counts();
      return ledger.audit(Math.max(0, auditRows - count), count);
    },
  };
}

/** The person who gave a command in their DM. */
function userIdOf(sender: Actor): UserId {
  const userId = parseUserId(sender);
  if (userId === null) throw new MintwardenError('internal', 'Nobody at the machine has a DM.');
  return userId;
}
