import type { Stage } from './stage.ts';

/** Sends a request through the gateway with a scoped token. */
export async function request(
  stage: Pick<Stage, 'mintwarden'>,
  token: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${stage.mintwarden.gatewayUrl}/_matrix/client/v3${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** The joined rooms a /sync answer shows. */
export function syncedRooms(body: Record<string, unknown>): string[] {
  const rooms = body['rooms'] as { join?: Record<string, unknown> } | undefined;
  return Object.keys(rooms?.join ?? {});
}
