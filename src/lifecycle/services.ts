import type { Policy } from '../domain/policy.ts';
import type { UserId } from '../domain/ids.ts';
import type { Chat } from '../ports/chat.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Directory } from '../ports/directory.ts';
import type { Issuer } from '../ports/issuer.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Log } from '../ports/log.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { Lockdown } from './lockdown.ts';
import type { PendingRevocations } from './revocation/pending-revocations.ts';
import type { IssuerStatus } from './incidents/issuer-status.ts';
import type { Incidents } from './incidents/incidents.ts';

/** What every use case is handed. Nothing in `lifecycle` reaches outside by any other way. */
export type Services = {
  readonly ledger: Ledger;
  readonly issuer: Issuer;
  readonly directory: Directory;
  readonly chat: Chat;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The policy as it is now. */
  readonly policy: () => Policy;
  /** The bot and the issuer account: never subjects. */
  readonly ownAccounts: readonly UserId[];
  readonly controlRoomId: string;
  /** The base URL holders use, without a trailing slash. */
  readonly gatewayUrl: string;
  /** Whether the gateway can tell where requests come from, rather than only that its proxy brought them. */
  readonly seesAddresses: boolean;
  /** Open problems of the service as a whole. */
  readonly incidents: Incidents;
  /** Why no token is accepted and none is minted at this moment; null: no lockdown. */
  readonly lockdown: () => Lockdown | null;
  /** The state of the issuer account at the homeserver, asked now. Throws as the directory does. */
  readonly issuerStatus: () => Promise<IssuerStatus>;
  /** Revocations that the ledger could not record yet; the gateway enforces them already. */
  readonly pendingRevocations: PendingRevocations;
};
