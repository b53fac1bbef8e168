import { parseUserId, type RoomId, type UserId } from '../../domain/ids.ts';
import { unreachable } from '../../domain/errors.ts';
import { allows, type Scope } from '../../domain/scope.ts';
import { typeAllowed } from '../../domain/scope-checks.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import {
  type GatewayResponse,
  FORBIDDEN,
  invalid,
  isResponse,
  missingCapability,
  UNRECOGNIZED,
} from '../http/response.ts';
import type {
  Deed,
  DeedLine,
  ForwardEndpoint,
  LocalLine,
  MediaLine,
  PollLine,
  RefusingLine,
  StepsLine,
  WriteLine,
} from '../endpoints/endpoint.ts';
import type { Call, UpstreamRequest } from '../http/call.ts';
import type { MultiStep } from '../upstream/tools.ts';
import type { AnswerFilter } from '../filters/answer-filter.ts';
import { pathOf } from '../rewrite/path.ts';
import { parsePoll, type Poll } from '../sync/poll-request.ts';
import { parseSliding, type Sliding } from '../sliding-sync/request.ts';
import type { MediaAction } from '../media/media.ts';
import type { WriteRequest } from '../writes/write-request.ts';

/** A request that may be asked of the homeserver, and what is shown of its answer. */
export type Forwarding = {
  readonly kind: 'forward';
  readonly request: UpstreamRequest;
  readonly filter: AnswerFilter;
  /** What the filter was made of: its line and the request, for another thread to make it again. */
  readonly lineId: string;
  readonly call: Call;
  readonly hides: boolean;
  readonly speaksOf: ((body: unknown) => readonly string[]) | null;
  /** A user who must first be found in a room in scope. */
  readonly acquaintance: UserId | null;
};

/** What is to be done with a request. */
export type Verdict =
  | { readonly kind: 'answer'; readonly answer: GatewayResponse }
  | { readonly kind: 'deed'; readonly deed: Deed }
  | { readonly kind: 'poll'; readonly poll: Poll }
  /** A sync that shows nothing. */
  | { readonly kind: 'idle'; readonly poll: Poll }
  | { readonly kind: 'sliding'; readonly sliding: Sliding }
  | { readonly kind: 'steps'; readonly run: MultiStep }
  | { readonly kind: 'write'; readonly writing: WriteRequest }
  | { readonly kind: 'media'; readonly deed: MediaAction }
  | Forwarding;

/** The lines that are judged by scope. The others need no judgement. */
export type JudgedLine =
  | LocalLine
  | DeedLine
  | ForwardEndpoint
  | PollLine
  | StepsLine
  | WriteLine
  | MediaLine;

/** What is told where a line refuses every token. */
export function refusedBy(line: RefusingLine): GatewayResponse {
  if (line.unserved === true) return UNRECOGNIZED;
  return line.needs === 'never' ? FORBIDDEN : missingCapability(line.needs);
}

/** Whether the operation is there for this token at all. Asked before anything of the request is read. */
export function isServedTo(line: JudgedLine, access: Access): boolean {
  return line.device !== true || access.device === true;
}

/**
 * The verdict on a request of a good token. Pure. The rules of a line in their order: the capability, the
 * room, the user, what else the line looks at; then the request is built anew from what was understood.
 * Every refusal for reasons of rooms and users is the same answer, made without asking the homeserver; a
 * capability that is missing is named, before they are looked at.
 */
export function judge(line: JudgedLine, call: Call): Verdict {
  const { access, params } = call;
  if (!isServedTo(line, access)) return answer(UNRECOGNIZED);
  const lacks = lackingFor(line, call);
  if (lacks !== null) return line.kind === 'poll' && line.sliding !== true ? idle(call) : answer(lacks);
  if (line.room === 'path' && !access.rooms.has(params['roomId'] as RoomId)) return answer(FORBIDDEN);
  if (line.user === 'self' && params['userId'] !== access.grant.subject) return answer(FORBIDDEN);
  switch (line.kind) {
    case 'local':
      return answer(line.answer(call));
    case 'deed':
      return { kind: 'deed', deed: line.deed };
    case 'poll': {
      if (line.sliding === true) {
        const sliding = parseSliding(call);
        return isResponse(sliding) ? answer(sliding) : { kind: 'sliding', sliding };
      }
      const poll = parsePoll(call);
      return isResponse(poll) ? answer(poll) : { kind: 'poll', poll };
    }
    case 'steps': {
      const run = line.steps(call);
      return isResponse(run) ? answer(run) : { kind: 'steps', run };
    }
    case 'write': {
      const writing = line.writing(call);
      return isResponse(writing) ? answer(writing) : { kind: 'write', writing };
    }
    case 'media': {
      const deed = line.media(call);
      return isResponse(deed) ? answer(deed) : { kind: 'media', deed };
    }
    case 'forward':
      return forwarding(line, call);
    default:
      return unreachable(line);
  }
}

/** What the scope lacks for a line: by its own word, where it has one. */
export function lackingFor(line: JudgedLine, call: Call): GatewayResponse | null {
  if ('may' in line && line.may !== undefined) return line.may(call);
  const { scope } = call.access.grant;
  const can: readonly string[] = scope.can;
  if (line.needs === 'holder' || can.includes(line.needs)) return null;
  return line.needs === 'read' ? lackingToRead(line, scope) : missingCapability(line.needs);
}

/** The same for who reads some types alone, if any: what no one has decided about is closed to them. */
function lackingToRead({ byType }: JudgedLine, scope: Scope): GatewayResponse | null {
  if (byType === undefined || !allows(scope, 'read')) return missingCapability('read');
  const missing =
    byType === 'filtered' ? undefined : byType.find((type) => !typeAllowed(scope, 'read', type));
  return missing === undefined ? null : missingCapability(`read:${missing}`);
}

/** A sync is not refused for reasons of scope: see `serve/idling.ts`. */
function idle(call: Call): Verdict {
  const poll = parsePoll(call);
  return isResponse(poll) ? answer(poll) : { kind: 'idle', poll };
}

function answer(given: GatewayResponse): Verdict {
  return { kind: 'answer', answer: given };
}

function forwarding(line: ForwardEndpoint, call: Call): Verdict {
  const { access, params } = call;
  const refused = line.check?.(call) ?? null;
  if (refused !== null) return answer(refused);
  const user = line.requiresSharedRoom === true ? parseUserId(params['userId'] ?? '') : null;
  if (line.requiresSharedRoom === true && user === null) return answer(FORBIDDEN);
  const query: [string, string][] = Object.entries(line.forcedQuery ?? {});
  const unsaid = line.queryDefaults?.(call) ?? {};
  for (const [name, rule] of Object.entries(line.query ?? {})) {
    const value = call.query.get(name) ?? unsaid[name];
    if (value === undefined) continue;
    const rebuilt = rule(value, call);
    if (rebuilt === null) return answer(invalid(name));
    query.push([name, rebuilt]);
  }
  return {
    kind: 'forward',
    request: { method: 'GET', path: pathOf(line.to, { ...params, me: access.grant.subject }), query },
    filter: line.filter(call),
    lineId: line.id,
    call,
    hides: line.maskNotFound === true,
    speaksOf: line.roomsIn ?? null,
    acquaintance: user === access.grant.subject ? null : user,
  };
}
