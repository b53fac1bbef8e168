import type { RoomId } from '../../domain/ids.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import type { Answer } from '../answer.ts';
import type { AnswerFilter, JsonObject } from '../filters/shown.ts';
import type { Work } from '../large/reading.ts';
import type { Looked } from '../writes/ask.ts';
import type { MediaDeed } from '../media/media.ts';
import type { Writing } from '../writes/writing.ts';
import type { Need } from './need.ts';

/** The methods lines have. */
export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** One request, read: what the functions of a line are given. */
export type Call = {
  /** The path's parameters, decoded once. */
  readonly params: Readonly<Record<string, string>>;
  /** The query, as it came: names outside a line's allow-list are never looked at. */
  readonly query: ReadonlyMap<string, string>;
  /** The body, where the line has `body: 'json'`. */
  readonly body: unknown;
  readonly access: Access;
  readonly now: number;
};

/** Reads one parameter of a query and writes it anew for the homeserver. Null: it is not understood. */
export type QueryRule = (value: string, call: Call) => string | null;

/** A request to the homeserver, built here. `query` is not encoded yet. */
export type UpstreamRequest = {
  readonly method: Method;
  /** Encoded, without query. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** With POST where that reads (`/search`), with PUT where it writes. */
  readonly body?: JsonObject;
};

/** What asking the homeserver came to, for lines of several steps: what was asked for, in a box, or what the holder is told. */
export type Asked = { readonly got: unknown } | Answer;

/** What a line of several steps may use. */
export type Tools = {
  /** Asks the homeserver for what is never large. `hides`: refusals and absences are told as one and the same 404. */
  readonly ask: (request: UpstreamRequest, hides: boolean) => Promise<Asked>;
  /** Asks for what may be large, and gives what is to be shown of it for these rooms; large ones are read in another thread. */
  readonly show: (
    request: UpstreamRequest,
    work: Extract<Work, { readonly kind: 'search' }>,
    rooms: ReadonlySet<RoomId>,
  ) => Promise<Answer>;
  /** Looks something up: the homeserver's reply as it is, where the difference between absent and refused counts. */
  readonly look: (request: UpstreamRequest) => Promise<Looked>;
  /**
   * Asks the homeserver to change something, or to ask another server, once, at the grant's pace. Not for messages: what must not come
   * twice is a `write` line's.
   * @param roomId the room it changes, which must be in scope at that moment; null: none
   */
  readonly change: (request: UpstreamRequest, pace: Pace, roomId: RoomId | null) => Promise<Asked>;
  /** The rooms in scope for an answer that speaks of these rooms. */
  readonly roomsNow: (spokenOf: readonly string[]) => Promise<ReadonlySet<RoomId>>;
  /**
   * Looks anew which rooms are in scope, after a change of which rooms the subject is in. Where that fails, it is looked at later.
   * @param left a room that was left, and is not to be in scope any more where all rooms are
   */
  readonly relook: (left: RoomId | null) => Promise<void>;
};

/** `writing`: what others are told, below the subject's own rate limit; `tending`: the subject's own bookkeeping and fleeting signs. */
export type Pace = 'writing' | 'tending';

/** The steps of one request. They ask for rooms in scope alone. */
export type Steps = (tools: Tools) => Promise<Answer>;

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
  /** `path`: the room `{roomId}` must be in scope. `answer`: the rooms stand in the answer, and are filtered there. */
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
export type LocalLine = Serving & { readonly kind: 'local'; readonly answer: (call: Call) => Answer };
/** Done here. */
export type DeedLine = Serving & { readonly kind: 'deed'; readonly deed: Deed };
/** Asked of the homeserver, the answer filtered. */
export type ForwardLine = Serving & {
  readonly kind: 'forward';
  /** The path that is asked, always with GET, whatever the holder's own request was. Parameters as in `paths`, and `{me}`. */
  readonly to: string;
  /** The parameters that are passed on; all others are dropped. */
  readonly query?: Readonly<Record<string, QueryRule>>;
  /** Parameters of ours. */
  readonly fixed?: Readonly<Record<string, string>>;
  /** Whether the scope holds what it takes, before any room is looked at, where `needs` alone does not say it. */
  readonly may?: (call: Call) => Answer | null;
  /** Looks at what the rules above cannot see. An answer is what the holder gets instead. */
  readonly check?: (call: Call) => Answer | null;
  readonly filter: (call: Call) => AnswerFilter;
  /** The rooms an answer speaks of: an unknown one makes a scope of all rooms be looked up anew. */
  readonly speaksOf?: (body: unknown) => readonly string[];
  /** Refusals and absences upstream are told as one and the same 404. */
  readonly hides?: true;
  /** `{userId}` is the subject or a member of a room in scope, which is looked up first. */
  readonly acquainted?: true;
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
  /** Whether the scope holds what it takes, before any room is looked at, where `needs` alone does not say it. */
  readonly may?: (call: Call) => Answer | null;
  /** Reads the request. An answer is what the holder gets instead. */
  readonly steps: (call: Call) => Steps | Answer;
};

/** Changes something in a room: judged whole by itself, capability first; then sent once. */
export type WriteLine = Serving & {
  readonly kind: 'write';
  /** Whether the scope holds what it takes, before any room is looked at. An answer is what the holder gets instead. */
  readonly may: (call: Call) => Answer | null;
  /** Reads the request. An answer is what the holder gets instead. */
  readonly writing: (call: Call) => Writing | Answer;
};

/** A file, passed on as it comes, in either direction. */
export type MediaLine = Serving & {
  readonly kind: 'media';
  /** Which files, in words. */
  readonly opens: string;
  readonly may: (call: Call) => Answer | null;
  /** Reads the request, but not its body. An answer is what the holder gets instead. */
  readonly media: (call: Call) => MediaDeed | Answer;
};

/** One operation and all that is decided about it. */
export type Line = NoticeLine | OpenLine | RefusingLine | LocalLine | DeedLine | ForwardLine | PollLine | StepsLine | WriteLine | MediaLine;

/** The version segments under which homeservers serve the same operations. Upstream, the one in `to` is asked. */
export const VERSIONS = ['v3', 'r0', 'v1', 'unstable'] as const;
