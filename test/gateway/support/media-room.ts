import type { Permission } from '../../../src/domain/permission.ts';
import type { Scope } from '../../../src/domain/scope.ts';
import { DEV, grantOf, OPS } from './grants.ts';
import { stage, type Stage, TOKEN } from './stage.ts';

type Options = Parameters<typeof stage>[0];
type Event = Readonly<Record<string, unknown>>;

export const A = '/_matrix/client/v1/media';
export const BYTES = 'the bytes';

/** What a holder got who asked for a file. */
export type GotFile = { readonly status: number; readonly text: string; readonly headers: Headers };

/** A gateway before a homeserver that has these events, and any file. */
export async function mediaStage(
  events: readonly Event[],
  can: readonly Permission[] = ['read'],
  options: Options & { scope?: Partial<Scope> } = {},
): Promise<Stage> {
  const { scope, ...rest } = options;
  const s = await stage({
    grant: { scope: { ...grantOf([OPS, DEV]).scope, can, ...scope } },
    limits: { writesAtOnce: 1_000 },
    ...rest,
  });
  answerWithFiles(s, events);
  return s;
}

/** As a homeserver that has these events, and answers as it does to any file. */
export function answerWithFiles(
  { homeserver }: Stage,
  events: readonly Event[],
  head: Readonly<Record<string, string>> = { 'content-type': 'image/png' },
): void {
  homeserver.answer(({ path, method, query }, response) => {
    if (/\/media\/(?:download|thumbnail)\//.test(path)) return void response.writeHead(200, head).end(BYTES);
    if (method === 'POST' && path.endsWith('/upload')) return { content_uri: 'mxc://hs.test/uploaded' };
    if (method === 'POST' && path.endsWith('/create'))
      return { content_uri: 'mxc://hs.test/created', unused_expires_at: 1 };
    if (method !== 'GET') return { event_id: '$sent' };
    const room = decodeURIComponent(/\/rooms\/([^/]+)\//.exec(path)?.[1] ?? '');
    const here = events.filter((event) => event['room_id'] === room);
    if (path.endsWith('/messages'))
      return { chunk: here.filter((event) => event['state_key'] === undefined), start: 's' };
    if (path.endsWith('/state')) return here;
    if (path.endsWith('/joined_members')) return { joined: {} };
    const [, type, key] = /\/state\/([^/]+)\/?([^/]*)$/.exec(path) ?? [];
    const state = here.find(
      (event) => event['type'] === type && event['state_key'] === decodeURIComponent(key ?? ''),
    );
    if (state !== undefined) return query.get('format') === 'event' ? state : state['content'];
    return void response
      .writeHead(404, { 'content-type': 'application/json' })
      .end('{"errcode":"M_NOT_FOUND","error":"x"}');
  });
}

/** Asks for a file. */
export async function file(s: Stage, path: string, token = TOKEN): Promise<GotFile> {
  const response = await fetch(`http://127.0.0.1:${s.gateway.port}${path}`, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'manual',
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** Asks for the file of an `mxc://` address. */
export const download = (s: Stage, address: string, token = TOKEN) =>
  file(s, `${A}/download/${address.slice('mxc://'.length)}`, token);

/** The files the homeserver was asked for. */
export const filesAsked = ({ homeserver }: Stage) =>
  homeserver.seen.map(({ url }) => url).filter((url) => /\/media\/(?:download|thumbnail|preview)/.test(url));
