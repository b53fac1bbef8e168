import type { UserId } from '../../domain/ids.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import type { Call, UpstreamRequest } from '../http/call.ts';
import type { GatewayResponse } from '../http/response.ts';
import type { ForwardEndpoint } from './endpoint.ts';
import type { Task } from './task.ts';

/** One request to the homeserver, and what is shown of its answer. */
export type ForwardPlan = {
  readonly kind: 'forward';
  readonly endpoint: ForwardEndpoint;
  readonly call: Call;
  readonly request: UpstreamRequest;
  readonly filter: AnswerFilter;
  /** A user who must first be found in a room in scope. */
  readonly sharedRoomWith: UserId | null;
};

/** What is to be done with a request. */
export type Plan =
  | { readonly kind: 'answer'; readonly response: GatewayResponse }
  | { readonly kind: 'task'; readonly task: Task }
  | ForwardPlan;
