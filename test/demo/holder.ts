import { exchange } from './screen.ts';

/** A holder: a gateway and a token. */
export interface Holder {
  gateway: string;
  token: string;
}

/** Asks the gateway and shows the exchange. */
export async function ask(
  holder: Holder,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${holder.gateway}/_matrix/client/v3${path}`, {
    method,
    headers: { authorization: `Bearer ${holder.token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json = (await answer.json()) as Record<string, unknown>;
  exchange(`${method} …/v3${path.replace(/(since=).*/, '$1…')}`, `${String(answer.status)} ${gist(json)}`);
  return { status: answer.status, body: json };
}

/** The rooms a /sync answer shows, joined ones. */
export function syncedRooms(body: Record<string, unknown>): string[] {
  const rooms = body['rooms'] as { join?: Record<string, unknown> } | undefined;
  return Object.keys(rooms?.join ?? {});
}

function gist(json: Record<string, unknown>): string {
  if (typeof json['errcode'] === 'string') return `${json['errcode']}: ${String(json['error'])}`;
  if (Array.isArray(json['chunk'])) return `${String(json['chunk'].length)} events`;
  if (json['next_batch'] !== undefined) return `rooms: ${syncedRooms(json).join(', ')}`;
  return JSON.stringify(json).slice(0, 100);
}
