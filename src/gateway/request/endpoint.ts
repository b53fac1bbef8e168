import type { IncomingMessage } from 'node:http';
import type { GatewayResponse } from '../http/response.ts';
import type { Call, Method, QueryRule } from '../http/call.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import type { RoomTask } from '../filters/bytes/byte-filter.ts';
import type { Need } from './need.ts';
import type { Task, TaskServices } from './task.ts';

type Common = {
  /** The specification's operationId, or a name of ours in the same style. */
  readonly id: string;
  /** Other operationIds that the specification has for the same method and path. */
  readonly also?: readonly string[];
  /** Where the operation is named, if not in the specification; `family`: a whole branch that is refused. */
  readonly source?: 'unstable' | 'synapse' | 'ours' | 'family';
  readonly methods: readonly Method[] | 'any';
  /**
   * Patterns of segments: literal, `{parameter}`, or a last `**` for anything below (refused endpoints only).
   * `{v}` in the place of the version stands for `VERSIONS`.
   */
  readonly paths: readonly string[];
  /** Other names of the same operation, from drafts and older versions. */
  readonly aliases?: readonly string[];
  /**
   * The operation that this is another form of: by another method, or with a part of the path left out. One
   * endpoint rule is for all forms.
   */
  readonly formOf?: string;
  /** For the docs: what is asked of the homeserver, as far as the other members do not say it. */
  readonly asked?: string;
  /** For the docs: what is shown of the answer. */
  readonly shown?: string;
  /** For the docs: why it is so, in a sentence. */
  readonly why: string;
  /** Its time depends on events, or on how fast a file is sent or read, and says nothing of ours. */
  readonly untimed?: true;
};

/** What all endpoints have that need a token and may serve it. */
type Serving = Common & {
  /** `holder`: any valid token; otherwise the capability the scope must hold. */
  readonly needs: 'holder' | Need;
  /**
   * What `read:TYPE` opens of an endpoint that needs `read`. `filtered`: all of it, its answer filtered by type;
   * types: all of it, where each of these is read, since the answer is made of them. Missing: nothing.
   */
  readonly byType?: 'filtered' | readonly string[];
  /** `path`: the room `{roomId}` must be in scope. `answer`: rooms are in the answer, and are filtered there. */
  readonly room?: 'path' | 'answer';
  /** `self`: `{userId}` must be the subject. */
  readonly user?: 'self';
  /** Only for tokens with a device; for all others there is no such operation. */
  readonly device?: true;
  /** `json-if-any`: no bytes at all are no body. */
  readonly body?: 'json' | 'json-if-any';
  /** Whether the scope holds what it takes, before any room is looked at, where `needs` alone does not say. */
  readonly authorize?: (call: Call) => GatewayResponse | null;
  /** The events in an answer of 200, as it was filtered: the files they show may be fetched. */
  readonly eventsIn?: (body: unknown, call: Pick<Call, 'params' | 'query'>) => Iterable<unknown>;
};

/** What an answer without a token may depend on. */
type StaticRequest = {
  readonly message: IncomingMessage;
  readonly params: Readonly<Record<string, string>>;
};

/** Answered here, without a token. */
export type StaticEndpoint = Common & {
  readonly kind: 'static';
  /** The body of the answer. */
  readonly respond: (request: StaticRequest, services: TaskServices) => unknown;
};

/** Asked of the homeserver without a token, once for everybody. */
export type PublicEndpoint = Common & {
  readonly kind: 'public';
  readonly to: string;
  readonly filter: AnswerFilter;
  /** The filter for a valid token with a device, where more is served to it. */
  readonly deviceFilter?: AnswerFilter;
};

/**
 * Known, and refused to every token: for good (`never`), or until the capability it needs is served; then it
 * says already how it will be asked and shown.
 */
export type RefusedEndpoint = Common & {
  readonly kind: 'refused';
  readonly needs: 'never' | Need;
  readonly room?: string;
  /** Refused as if there were no such operation, so that clients look for another way. */
  readonly unserved?: true;
};

/** Answered here, from the request and the grant alone. */
export type LocalEndpoint = Serving & {
  readonly kind: 'local';
  readonly respond: (call: Call) => GatewayResponse;
};

/** Asked of the homeserver with one GET, the answer filtered. */
export type ForwardEndpoint = Serving & {
  readonly kind: 'forward';
  /** The path that is asked, always with GET. Parameters as in `paths`, and `{me}`. */
  readonly to: string;
  /** The parameters that are passed on; all others are dropped. */
  readonly query?: Readonly<Record<string, QueryRule>>;
  /** Parameters that count as given where the holder leaves them out; the rules of `query` apply to them. */
  readonly queryDefaults?: (call: Call) => Readonly<Record<string, string>>;
  /** Parameters of ours. */
  readonly forcedQuery?: Readonly<Record<string, string>>;
  /** Checks what the members above cannot. A response refuses. */
  readonly check?: (call: Call) => GatewayResponse | null;
  readonly filter: (call: Call) => AnswerFilter;
  /** The same rules for a filter over the answer's bytes, where there are such rules. */
  readonly overBytes?: RoomTask['kind'];
  /** The rooms in an answer: an unknown one makes a scope that can grow be looked up again. */
  readonly roomsIn?: (body: unknown) => readonly string[];
  /** Refusals and absences upstream are one and the same 404 to the holder. */
  readonly maskNotFound?: true;
  /** `{userId}` is the subject or a member of a room in scope, which is looked up first. */
  readonly requiresSharedRoom?: true;
};

/** Done by code of its own: several questions to the homeserver, a write, a file, a long-poll. */
export type TaskEndpoint = Serving & {
  readonly kind: 'task';
  /**
   * - `multiStep`: several questions to the homeserver
   * - `write`: sends an event, once
   * - `media`: its body or its answer is a file, which is passed on as it comes
   * - `poll`: a long-poll; clients repeat one that fails without pause, so failures are answered ever later
   * - `token`: about the token itself; no endpoint rule takes it away, and it is not counted as a use
   */
  readonly does: 'multiStep' | 'write' | 'media' | 'poll' | 'token';
  /** It changes something, and a parameter might narrow the change (`propagate`, `delay`): none is taken. */
  readonly parameters?: 'refused';
  /** Reads the request. A response refuses. */
  readonly plan: (call: Call) => Task | GatewayResponse;
  /** What is done without the capability, instead of a refusal. */
  readonly withoutCapability?: (call: Call) => Task | GatewayResponse;
  /** For the docs: what it opens, where `room` and `user` do not say it. */
  readonly opens?: string;
};

/** One that the scope decides about. */
export type ServingEndpoint = LocalEndpoint | ForwardEndpoint | TaskEndpoint;

/** One operation, and all that is true of it. */
export type Endpoint = StaticEndpoint | PublicEndpoint | RefusedEndpoint | ServingEndpoint;

/** The version segments under which homeservers serve the same operations. The one in `to` is asked. */
export const VERSIONS = ['v3', 'r0', 'v1', 'unstable'] as const;

/** Whether an endpoint is a task of this sort. */
export function isTask(endpoint: Endpoint, does: TaskEndpoint['does']): endpoint is TaskEndpoint {
  return endpoint.kind === 'task' && endpoint.does === does;
}
