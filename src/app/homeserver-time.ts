const TIMEOUT_MS = 10_000;
/** The header knows whole seconds: on average half of one has passed. */
const HALF_A_SECOND_MS = 500;

/**
 * The homeserver's clock by the `Date` of an answer (RFC 9110, 6.6.1), epoch ms; null where it gave none in
 * time.
 */
export async function homeserverTime(url: string): Promise<number | null> {
  const begun = performance.now();
  const answer = await fetch(`${url}/_matrix/client/versions`, {
    redirect: 'manual',
    headers: { 'cache-control': 'no-cache' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => null);
  await answer?.body?.cancel();
  const at = Date.parse(answer?.headers.get('date') ?? '');
  // A cache before the homeserver says what time it was, and how long ago that is (RFC 9111, 5.1).
  const age = /^[0-9]{1,9}$/.exec(answer?.headers.get('age') ?? '0');
  if (!Number.isFinite(at) || age === null) return null;
  return at + Number(age[0]) * 1_000 + HALF_A_SECOND_MS + (performance.now() - begun) / 2;
}
