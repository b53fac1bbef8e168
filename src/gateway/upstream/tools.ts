import type { RoomId } from '../../domain/ids.ts';
import type { GatewayResponse, AskResult } from '../http/response.ts';
import type { FilterTask } from '../filter-worker/filter-job.ts';
import type { RateClass, UpstreamRequest } from '../http/call.ts';
import type { LookUpResult } from './look-up.ts';

/** What a multi-step endpoint may use. */
export type Tools = {
  /**
   * Asks the homeserver for what is never large. `maskNotFound`: refusals and absences are the same 404 to the
   * holder.
   */
  readonly ask: (request: UpstreamRequest, maskNotFound: boolean) => Promise<AskResult>;
  /**
   * Asks for what may be large, and gives what is to be shown of it for these rooms; large ones are read in
   * another thread.
   */
  readonly show: (
    request: UpstreamRequest,
    work: Extract<FilterTask, { readonly kind: 'search' }>,
    rooms: ReadonlySet<RoomId>,
  ) => Promise<GatewayResponse>;
  /**
   * Looks something up: the homeserver's reply as it is, where the difference between absent and refused
   * counts.
   */
  readonly lookUp: (request: UpstreamRequest) => Promise<LookUpResult>;
  /**
   * Asks the homeserver to change something, or to ask another server, once, within the grant's rate. Not for
   * messages: what must not come twice is a `write` endpoint's.
   * @param roomId the room it changes, which must be in scope at that moment; null: none
   */
  readonly change: (
    request: UpstreamRequest,
    rateClass: RateClass,
    roomId: RoomId | null,
  ) => Promise<AskResult>;
  /**
   * The same for a change of the subject's own membership, within the pace of writes. The homeserver lets others in
   * where the subject is not, so which rooms are in scope is looked up right before, where that can change.
   */
  readonly changeMembership: (request: UpstreamRequest, roomId: RoomId) => Promise<AskResult>;
  /** The rooms in scope for an answer that speaks of these rooms. */
  readonly roomsInScope: (spokenOf: readonly string[]) => Promise<ReadonlySet<RoomId>>;
  /**
   * Looks up again which rooms are in scope, after a change of which rooms the subject is in. Where that fails,
   * it is looked at later.
   * @param left a room that was left, and is not to be in scope any more where all rooms are
   */
  readonly refreshRooms: (left: RoomId | null) => Promise<void>;
};

/** The steps of one request. They ask for rooms in scope alone. */
export type MultiStep = (tools: Tools) => Promise<GatewayResponse>;
