import { request, syncedRooms } from '../harness/holder.ts';
import type { Stage } from '../harness/stage.ts';
import { exchange } from './screen.ts';

/** Someone with a token. */
export interface Holder {
  stage: Stage;
  token: string;
}

/** Asks the gateway and shows the exchange. */
export async function ask(
  holder: Holder,
  method: string,
  path: string,
  body?: unknown,
): ReturnType<typeof request> {
  const answer = await request(holder.stage, holder.token, method, path, body);
  exchange(
    `${method} …/v3${path.replace(/(since=).*/, '$1…')}`,
    `${String(answer.status)} ${gist(answer.body)}`,
  );
  return answer;
}

function gist(json: Record<string, unknown>): string {
  if (typeof json['errcode'] === 'string') return `${json['errcode']}: ${String(json['error'])}`;
  if (Array.isArray(json['chunk'])) return `${String(json['chunk'].length)} events`;
  if (json['next_batch'] !== undefined) return `rooms: ${syncedRooms(json).join(', ')}`;
  return JSON.stringify(json).slice(0, 100);
}
