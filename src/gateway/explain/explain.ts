import { CAPABILITY, isCapability } from '../../domain/capability.ts';
import type { Explanation, Question } from '../../domain/explanation.ts';
import { type Grant, effectiveState } from '../../domain/grant.ts';
import type { RoomId } from '../../domain/ids.ts';
import {
  type GatewayResponse,
  isResponse,
  UNKNOWN_TOKEN,
  UNRECOGNIZED,
  USER_LOCKED,
  WRONG_METHOD,
} from '../http/response.ts';
import { CATALOGUE } from '../endpoints/catalogue.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Call } from '../http/call.ts';
import { isServedTo, judge, type JudgedLine, refusedBy, type Verdict } from '../steps/guard.ts';
import { isObject } from '../filters/json-shape.ts';
import { parseJsonBytes } from '../http/json.ts';
import { parseTarget } from '../http/target.ts';
import { type Route, createRouter, unrouted } from '../endpoints/router.ts';
import { ruledOut } from '../steps/admission.ts';

const METHODS = ['GET', 'PUT', 'POST', 'DELETE'];
const router = createRouter(CATALOGUE);
const NO_BODY =
  'It was judged with an empty body. What the body says counts too: put it, in single quotes, behind the path.';

/**
 * Says what the guard would make of a request, by asking it. Pure: nothing is forwarded, nothing counted.
 * @param rooms the rooms in scope; null: not known here, then what depends on them is said to
 */
export function explain(
  question: Question,
  grant: Grant,
  rooms: ReadonlySet<RoomId> | null,
  now: number,
): Explanation {
  const good = effectiveState(grant, now);
  if (good === 'inactive')
    return refused(UNKNOWN_TOKEN, null, [
      'The token does not count, or no longer: every request with it is refused.',
    ]);
  if (good === 'suspended')
    return refused(USER_LOCKED, null, [
      'The user is locked: every request is refused until they are unlocked.',
    ]);
  const method = question.method.toUpperCase();
  if (!METHODS.includes(method))
    return refused(WRONG_METHOD, null, [`The gateway serves ${METHODS.join(', ')}, and no other method.`]);
  const target = parseTarget(pathIn(question.target));
  if (isResponse(target)) return refused(target, null, [sentenceOf(target)]);
  const route = router(method, target.segments);
  if (route === null) {
    const told = unrouted(router, target.segments);
    const why =
      told.status === 405
        ? `The operation has another method than ${method}.`
        : 'The catalogue of the gateway has no such operation: it is served to no token.';
    return refused(told, null, [why]);
  }
  const out = ruledOut(grant.scope, method, target, route);
  if (out !== null)
    return refused(out, route.line, ['The endpoint rules of the scope do not let it pass.', route.line.why]);
  const { line } = route;
  if (line.kind === 'refused') return refusedToAll(line);
  if (line.kind === 'notice' || line.kind === 'open')
    return passing(line, 'yes', ['Anybody may ask that, without a token.', line.why]);
  const body =
    question.body === null
      ? { value: line.body === 'json' ? {} : undefined }
      : parseJsonBytes(Buffer.from(question.body));
  if (isResponse(body)) return refused(body, line, [sentenceOf(body)]);
  return judged(
    line,
    route,
    { params: route.params, query: target.query.values, body: body.value },
    question,
    grant,
    rooms,
    now,
  );
}

function judged(
  line: JudgedLine,
  { params }: Route,
  request: Pick<Call, 'params' | 'query' | 'body'>,
  question: Question,
  grant: Grant,
  rooms: ReadonlySet<RoomId> | null,
  now: number,
): Explanation {
  const room = params['roomId'] as RoomId | undefined;
  const access = { grant, rooms: rooms ?? new Set(room === undefined ? [] : [room]) };
  if (!isServedTo(line, access))
    return refused(UNRECOGNIZED, line, [
      'It is served only to tokens that have a device of their own; this one has none.',
      line.why,
    ]);
  const verdict = judge(line, { ...request, access, now });
  const unknownRoom =
    rooms === null && line.room === 'path'
      ? [
          `Whether ${room ?? 'the room'} is in scope is not known here: it is looked up when the token is used.`,
        ]
      : [];
  const notes = [...unknownRoom, ...conditionsOf(grant)];
  const noBody = line.body === 'json' && question.body === null;
  if (verdict.kind === 'answer' && verdict.answer.status !== 200)
    return denied(line, verdict.answer, { room, access, params, noBody, notes });
  const doubts = [...doubtsOf(line, verdict, grant), ...unknownRoom, ...(noBody ? [NO_BODY] : [])];
  return {
    ...passing(line, doubts.length > 0 ? 'depends' : 'yes', [...doubts, ...conditionsOf(grant), line.why]),
    asked: askedOf(line, verdict),
  };
}

type Circumstances = {
  readonly room: RoomId | undefined;
  readonly access: Call['access'];
  readonly params: Call['params'];
  readonly noBody: boolean;
  readonly notes: readonly string[];
};

function denied(
  line: JudgedLine,
  answer: GatewayResponse,
  { room, access, params, noBody, notes }: Circumstances,
): Explanation {
  if (answer.missingCapability !== undefined) {
    const { missingCapability: lacks } = answer;
    const allows = isCapability(lacks) ? [`${lacks} would let it ${CAPABILITY[lacks].allows}.`] : [];
    return { ...refused(answer, line, [sentenceOf(answer), ...allows]), lacks };
  }
  if (line.room === 'path' && room !== undefined && !access.rooms.has(room)) {
    return refused(answer, line, [`${room} is not among the rooms in scope.`, line.why]);
  }
  if (line.user === 'self' && params['userId'] !== access.grant.subject) {
    return refused(answer, line, [
      `It is about another user than ${access.grant.subject}, for whom the token speaks.`,
      line.why,
    ]);
  }
  if (noBody)
    return { ...passing(line, 'depends', [NO_BODY, ...notes, line.why]), asked: line.asked ?? null };
  return refused(answer, line, [sentenceOf(answer), line.why]);
}

/** What the guard leaves to be found out. */
function doubtsOf(line: JudgedLine, verdict: Verdict, grant: Grant): readonly string[] {
  if (verdict.kind === 'forward' && verdict.acquaintance !== null) {
    return [`${verdict.acquaintance} must be a member of a room in scope, which is looked up first.`];
  }
  if (verdict.kind === 'steps' && line.needs !== 'holder' && CAPABILITY[line.needs].writes) {
    return ['What the user may do in the room, the room and the homeserver say.'];
  }
  if (verdict.kind === 'idle')
    return ['It would be answered with nothing, after the wait: there is no capability read.'];
  if (verdict.kind === 'media' && verdict.deed.kind === 'fetch' && line.needs === 'media') {
    return ['Only a file that events in scope show, which is looked at first.'];
  }
  if (verdict.kind !== 'write') return [];
  const { writing } = verdict;
  const encrypted = grant.rooms.some((room) => room.roomId === writing.roomId && room.encrypted);
  const plain = encrypted ? 'The room was encrypted when the token was made' : 'If the room is encrypted';
  return [
    ...(writing.onlyUnencrypted
      ? [`${plain}: then nothing is sent there in clear, for lack of the capability plaintext.`]
      : []),
    ...(writing.targets.length > 0 ? ['The events it names are looked up in that room first.'] : []),
  ];
}

/** What else a scope asks of every request. */
function conditionsOf({ scope }: Grant): readonly string[] {
  return [
    ...(scope.from === undefined
      ? []
      : [
          `It must come from ${scope.from.length === 0 ? 'nowhere: no network is named' : scope.from.join(' or ')}.`,
        ]),
    ...(scope.uses === undefined ? [] : ['It counts as one use, if any is left.']),
    ...(scope.power === undefined ? [] : [`Where it takes power, it acts with at most ${scope.power}.`]),
  ];
}

function askedOf(line: JudgedLine, verdict: Verdict): string | null {
  if (verdict.kind === 'answer' || verdict.kind === 'deed' || verdict.kind === 'idle') return null;
  if (verdict.kind !== 'forward') return line.asked ?? null;
  const names = verdict.request.query.map(([name]) => name);
  return `${verdict.request.method} ${verdict.request.path}${names.length === 0 ? '' : `, with ${names.join(', ')}`}`;
}

function refusedToAll(line: Extract<Endpoint, { kind: 'refused' }>): Explanation {
  const answer = refusedBy(line);
  if (line.needs === 'never') {
    const never =
      line.unserved === true ? 'It is not served to any token.' : 'No token may do that, whatever its scope.';
    return refused(answer, line, [never, line.why]);
  }
  return {
    ...refused(answer, line, [
      `It needs the capability ${line.needs}, which this version does not grant yet.`,
      line.why,
    ]),
    lacks: line.needs,
  };
}

function refused(answer: GatewayResponse, line: Endpoint | null, why: readonly string[]): Explanation {
  return {
    passes: 'no',
    operation: line?.id ?? null,
    status: answer.status,
    lacks: null,
    why,
    asked: null,
    shown: null,
  };
}

function passing(line: Endpoint, passes: 'yes' | 'depends', why: readonly string[]): Explanation {
  const asked = line.kind === 'open' ? `GET ${line.to}` : null;
  return { passes, operation: line.id, status: null, lacks: null, why, asked, shown: line.shown ?? null };
}

function sentenceOf({ body }: GatewayResponse): string {
  return isObject(body) && typeof body['error'] === 'string' ? body['error'] : 'It is refused.';
}

/**
 * The path and query of what was typed: an address loses its beginning, a fragment its end, which never
 * travels.
 */
function pathIn(typed: string): string {
  const path = typed
    .trim()
    .replace(/^https?:\/\/[^/?#]*/i, '')
    .replace(/#.*$/s, '');
  return path.startsWith('/') ? path : `/${path}`;
}
