import type { GatewayResponse } from '../http/response.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import type { MediaAction } from '../media/media.ts';
import type { Call, Method, QueryRule } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import type { WriteRequest } from '../writes/write-request.ts';
import type { Need } from './need.ts';

/** What takes more than one step; see `serve/perform.ts`. */
export type Deed = 'withdraw' | 'introspect';
/** What is told to anyone without asking the homeserver. */
export type Notice = 'well-known' | 'health' | 'instance';

type Common = {
  /** The specification's operationId, or a name of ours in the same style. */
  readonly id: string;
  /** Other operationIds that the specification has for the same method and path. */
  readonly also?: readonly string[];
  /** Where the operation is named, if not in the specification; `family`: a whole branch that is refused. */
  readonly source?: 'unstable' | 'synapse' | 'ours' | 'family';
  readonly methods: readonly Method[] | 'any';
  /**
   * Patterns of segments: literal, `{parameter}`, or a last `**` for anything below (refusals only).
   * `{v}` in the place of the version stands for `VERSIONS`.
   */
  readonly paths: readonly string[];
  /** Other names of the same operation, from drafts and older versions. */
  readonly aliases?: readonly string[];
  /** How the request is asked of the homeserver, as far as the line's own parts do not say it. */
  readonly asked?: string;
  /** What is shown of the answer. */
  readonly shown?: string;
  /** Why it is so, in a sentence. */
  readonly why: string;
};

/** A line that serves. */
type Serving = Common & {
  /** `holder`: any good token; otherwise the capability the scope must hold. */
  readonly needs: 'holder' | Need;
  /**
   * What `read:TYPE` opens of a line that needs `read`. `filtered`: the line, its answer filtered by type;
   * types: the line, where all of these are read, since its answer is made of them. Missing: nothing.
   */
  readonly byType?: 'filtered' | readonly string[];
  /**
   * `path`: the room `{roomId}` must be in scope. `answer`: the rooms stand in the answer, and are filtered
   * there.
   */
  readonly room?: 'path' | 'answer';
  /** `self`: `{userId}` must be the subject. */
  readonly user?: 'self';
  /** Only for tokens that have a device; told to all others as if there were no such operation. */
  readonly device?: true;
  /** `json-if-any`: no bytes at all are no body. */
  readonly body?: 'json' | 'json-if-any';
};

/** Told to anyone, without a token. */
type NoticeLine = Common & { readonly kind: 'notice'; readonly notice: Notice };
/** Asked of the homeserver for anyone, without a token. */
export type OpenLine = Common & {
  readonly kind: 'open';
  readonly to: string;
  readonly filter: AnswerFilter;
  /** The filter for who shows a good token that has a device, where more is served to those. */
  readonly deviceFilter?: AnswerFilter;
};
/**
 * Known, and refused to every token: for good (`never`), or until the capability it needs is served; then the
 * line says already how it will be asked and shown.
 */
export type RefusingLine = Common & {
  readonly kind: 'refused';
  readonly needs: 'never' | Need;
  readonly room?: string;
  /** Told as if there were no such operation, so that clients look for another way. */
  readonly unserved?: true;
};
/** Answered here, from the request and the grant alone. */
export type LocalLine = Serving & {
  readonly kind: 'local';
  readonly answer: (call: Call) => GatewayResponse;
};
/** Done here. */
export type DeedLine = Serving & { readonly kind: 'deed'; readonly deed: Deed };
/** Asked of the homeserver, the answer filtered. */
export type ForwardEndpoint = Serving & {
  readonly kind: 'forward';
  /**
   * The path that is asked, always with GET, whatever the holder's own request was. Parameters as in `paths`,
   * and `{me}`.
   */
  readonly to: string;
  /** The parameters that are passed on; all others are dropped. */
  readonly query?: Readonly<Record<string, QueryRule>>;
  /** What is taken as said where the holder leaves it out; the rules of `query` count for it too. */
  readonly queryDefaults?: (call: Call) => Readonly<Record<string, string>>;
  /** Parameters of ours. */
  readonly forcedQuery?: Readonly<Record<string, string>>;
  /**
   * Whether the scope holds what it takes, before any room is looked at, where `needs` alone does not say it.
   */
  readonly may?: (call: Call) => GatewayResponse | null;
  /** Looks at what the rules above cannot see. An answer is what the holder gets instead. */
  readonly check?: (call: Call) => GatewayResponse | null;
  readonly filter: (call: Call) => AnswerFilter;
  /** The rooms an answer speaks of: an unknown one makes a scope of all rooms be looked up anew. */
  readonly roomsIn?: (body: unknown) => readonly string[];
  /** Refusals and absences upstream are told as one and the same 404. */
  readonly maskNotFound?: true;
  /** `{userId}` is the subject or a member of a room in scope, which is looked up first. */
  readonly requiresSharedRoom?: true;
};
/** The long-poll. */
export type PollLine = Serving & {
  readonly kind: 'poll';
  /** Simplified sliding sync (MSC4186), not `/sync`. */
  readonly sliding?: true;
};

/** Asked of the homeserver in several steps. */
export type StepsLine = Serving & {
  readonly kind: 'steps';
  /**
   * Whether the scope holds what it takes, before any room is looked at, where `needs` alone does not say it.
   */
  readonly may?: (call: Call) => GatewayResponse | null;
  /** Reads the request. An answer is what the holder gets instead. */
  readonly steps: (call: Call) => MultiStep | GatewayResponse;
};

/** Changes something in a room: judged whole by itself, capability first; then sent once. */
export type WriteLine = Serving & {
  readonly kind: 'write';
  /**
   * Whether the scope holds what it takes, before any room is looked at. An answer is what the holder gets
   * instead.
   */
  readonly may: (call: Call) => GatewayResponse | null;
  /** Reads the request. An answer is what the holder gets instead. */
  readonly writing: (call: Call) => WriteRequest | GatewayResponse;
};

/** A file, passed on as it comes, in either direction. */
export type MediaLine = Serving & {
  readonly kind: 'media';
  /** Which files, in words. */
  readonly opens: string;
  readonly may: (call: Call) => GatewayResponse | null;
  /** Reads the request, but not its body. An answer is what the holder gets instead. */
  readonly media: (call: Call) => MediaAction | GatewayResponse;
};

/** One operation and all that is decided about it. */
export type Endpoint =
  | NoticeLine
  | OpenLine
  | RefusingLine
  | LocalLine
  | DeedLine
  | ForwardEndpoint
  | PollLine
  | StepsLine
  | WriteLine
  | MediaLine;

/**
 * The version segments under which homeservers serve the same operations. Upstream, the one in `to` is asked.
 */
export const VERSIONS = ['v3', 'r0', 'v1', 'unstable'] as const;
