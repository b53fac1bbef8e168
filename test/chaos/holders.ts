import { setTimeout as sleep } from 'node:timers/promises';
import { request } from '../harness/holder.ts';
import type { Stage } from '../harness/stage.ts';

/** What holders did and saw. */
export type Traffic = {
  reads: number;
  sent: number;
  /** By status; 0: no answer. */
  readonly answers: Map<number, number>;
  /** Answers that no homeserver's trouble explains: a live token told that it is dead or may not. */
  wrong: number;
};

/**
 * Holders that read and write through the gateway until told to stop. Each message is tried under one
 * transaction id until it is accepted.
 */
export function startHolders(
  stage: Stage,
  token: string,
): { readonly traffic: Traffic; readonly accepted: string[]; stop(): Promise<void> } {
  const traffic: Traffic = { reads: 0, sent: 0, answers: new Map(), wrong: 0 };
  const accepted: string[] = [];
  const ending = new AbortController();
  const isRunning = (): boolean => !ending.signal.aborted;
  const room = encodeURIComponent(stage.ops);

  async function once(method: string, path: string, body?: unknown): Promise<number> {
    const status = await request(stage, token, method, path, body).then(
      (answer) => answer.status,
      () => 0,
    );
    traffic.answers.set(status, (traffic.answers.get(status) ?? 0) + 1);
    if (status === 401 || status === 403 || status === 404) traffic.wrong++;
    return status;
  }

  async function reader(): Promise<void> {
    while (isRunning()) {
      if ((await once('GET', `/rooms/${room}/messages?dir=b&limit=5`)) === 200) traffic.reads++;
      await sleep(100);
    }
  }
  async function listener(): Promise<void> {
    while (isRunning()) {
      if ((await once('GET', '/sync?timeout=2000')) !== 200) await sleep(250);
      await sleep(250);
    }
  }
  /** Below the pace at which a grant may write. */
  async function writer(): Promise<void> {
    for (let number = 0; isRunning(); number++) {
      const body = `chaos ${String(number)}`;
      while (
        (await once('PUT', `/rooms/${room}/send/m.room.message/c${String(number)}`, {
          msgtype: 'm.text',
          body,
        })) !== 200
      ) {
        if (!isRunning()) return;
        // Attempts count too: asking more often would only prolong the wait.
        for (let waits = 0; isRunning() && waits < 8; waits++) await sleep(250);
      }
      accepted.push(body);
      traffic.sent++;
      for (let waits = 0; isRunning() && waits < 44; waits++) await sleep(250);
    }
  }
  const all = [reader(), reader(), listener(), writer()];
  return {
    traffic,
    accepted,
    async stop() {
      ending.abort();
      await Promise.all(all);
    },
  };
}
