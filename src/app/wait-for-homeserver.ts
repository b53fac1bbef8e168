import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../ports/log.ts';

const MAX_PAUSE_MS = 4_000;
const TIMEOUT_MS = 10_000;

/**
 * Waits until the homeserver answers, however long that takes: after a power cut both start together.
 * @param signal ends the waiting
 */
export async function waitForHomeserver(url: string, log: Log, signal: AbortSignal): Promise<void> {
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    const answer = await fetch(`${url}/_matrix/client/versions`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    }).catch(() => null);
    signal.throwIfAborted();
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    log.warn('waiting for the homeserver', { status: answer?.status ?? null });
    await sleep(pauseMs, undefined, { signal });
  }
}
