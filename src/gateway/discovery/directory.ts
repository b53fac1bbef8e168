import { parseRoomAlias, serverOf } from '../../domain/ids.ts';
import { type GatewayResponse, invalid, isResponse, NOT_FOUND, ok, matrixError } from '../http/response.ts';
import type { AskResult } from '../http/response.ts';
import type { MultiStep, Tools } from '../upstream/tools.ts';
import type { Call, UpstreamRequest } from '../http/call.ts';
import {
  projectAliasTarget,
  aliasTarget,
  projectUserSearch,
  projectPublicRooms,
  roomIdsInAliasTarget,
} from '../filters/directory.ts';
import { isObject, type JsonObject } from '../filters/json-shape.ts';
import { holds } from '../filters/read-view.ts';
import { texts } from '../rewrite/event-filter.ts';
import { pathOf } from '../rewrite/path.ts';
import { token } from '../rewrite/query-rules.ts';

const ROOMS = '/_matrix/client/v3/publicRooms';
const USERS = '/_matrix/client/v3/user_directory/search';
const ALIAS = '/_matrix/client/v3/directory/room/{alias}';
const MAX_LIMIT = 100;
const MAX_TERM = 255;
/** A server's name (spec 1.19, "Server name"): the homeserver asks that server. */
const SERVER = /^(?:[A-Za-z0-9.-]{1,230}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;
const NOT_AN_OBJECT = matrixError(400, 'M_BAD_JSON', 'The body must be an object.');

/** Reads a request for the public list. */
export function publicRoomsSteps(call: Call): MultiStep | GatewayResponse {
  const asked = rebuilt({ limit: numberOf(call.query.get('limit')), since: call.query.get('since') }, call);
  const server = serverIn(call);
  if (isResponse(asked)) return asked;
  if (isResponse(server)) return server;
  const query = Object.entries(asked).map(([name, value]) => [name, String(value)] as const);
  return shown({ method: 'GET', path: ROOMS, query: [...server, ...query] });
}

/** Reads a search of the public list. */
export function searchPublicRoomsSteps(call: Call): MultiStep | GatewayResponse {
  const { body } = call;
  if (!isObject(body)) return NOT_AN_OBJECT;
  const asked = rebuilt(body, call);
  const server = serverIn(call);
  if (isResponse(asked)) return asked;
  if (isResponse(server)) return server;
  const given = body['filter'] ?? {};
  if (!isObject(given)) return invalid('filter');
  const { generic_search_term: term, room_types: types } = given;
  if (!absent(term) && !isTerm(term)) return invalid('generic_search_term');
  if (!absent(types) && texts(Array.isArray(types) ? types.filter((type) => type !== null) : types) === null)
    return invalid('room_types');
  const filter = {
    ...(absent(term) ? {} : { generic_search_term: term }),
    ...(absent(types) ? {} : { room_types: types }),
  };
  return shown({ method: 'POST', path: ROOMS, query: server, body: { ...asked, filter } });
}

/** Reads a search for people. */
export function searchUsersSteps({ body }: Call): MultiStep | GatewayResponse {
  if (!isObject(body)) return NOT_AN_OBJECT;
  const { search_term: term, limit = 10 } = body;
  if (!isTerm(term)) return invalid('search_term');
  if (!isLimit(limit)) return invalid('limit');
  const request: UpstreamRequest = {
    method: 'POST',
    path: USERS,
    query: [],
    body: { search_term: term, limit: Math.min(limit, MAX_LIMIT) },
  };
  return async (tools) => {
    const asked = await tools.ask(request, false);
    return isResponse(asked) ? asked : ok(projectUserSearch(asked.got));
  };
}

/** Reads an alias: where it leads if that is in scope, or anywhere with `directory`. */
export function resolveAliasSteps({ params, access }: Call): MultiStep | GatewayResponse {
  const alias = parseRoomAlias(params['roomAlias'] ?? '');
  if (alias === null) return NOT_FOUND;
  const anywhere = holds(access.grant.scope, 'directory');
  return async (tools) => {
    const request: UpstreamRequest = { method: 'GET', path: pathOf(ALIAS, { alias }), query: [] };
    const isOurs = serverOf(alias) === serverOf(access.grant.subject);
    const asked = isOurs ? await tools.ask(request, true) : await askElsewhere(tools, request);
    if (isResponse(asked)) return asked.status === 403 || asked.status === 404 ? NOT_FOUND : asked;
    return anywhere
      ? projectAliasTarget(asked.got)
      : aliasTarget(asked.got, await tools.roomsInScope(roomIdsInAliasTarget(asked.got)));
  };
}

/** The homeserver asks another server, of the holder's choice, for it, so it is rate-limited. */
function askElsewhere(tools: Tools, request: UpstreamRequest): Promise<AskResult> {
  return tools.change(request, 'personal', null);
}

function shown(request: UpstreamRequest): MultiStep {
  return async (tools) => {
    const asked = request.query.some(([name]) => name === 'server')
      ? await askElsewhere(tools, request)
      : await tools.ask(request, false);
    return isResponse(asked) ? asked : ok(projectPublicRooms(asked.got));
  };
}

/** What both forms of the list have in common. */
function rebuilt(given: JsonObject, call: Call): JsonObject | GatewayResponse {
  const { limit, since } = given;
  if (!absent(limit) && !isLimit(limit)) return invalid('limit');
  if (!absent(since) && (typeof since !== 'string' || token(since, call) === null)) return invalid('since');
  return {
    limit: absent(limit) ? MAX_LIMIT : Math.min(limit, MAX_LIMIT),
    ...(absent(since) ? {} : { since }),
  };
}

function serverIn({ query }: Call): readonly (readonly ['server', string])[] | GatewayResponse {
  const server = query.get('server');
  if (server === undefined || server === '') return [];
  return SERVER.test(server) ? [['server', server]] : invalid('server');
}

function numberOf(text: string | undefined): unknown {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : text;
}

function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isLimit(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function isTerm(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TERM && value.isWellFormed();
}
