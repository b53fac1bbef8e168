import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDocument } from 'yaml';
import { joinDm, takeDelivery, textOf } from '../harness/control-room.ts';
import { request } from '../harness/holder.ts';
import { ratchetUses, reusedRatchets, roomEvents } from '../harness/megolm.ts';
import type { WireEvent } from '../harness/megolm.ts';
import { matrixRequest } from '../harness/matrix-http.ts';
import { livePuppetTokens } from '../harness/puppet-tokens.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';
import { misfortunes, seeded } from './faults.ts';
import { startHolders } from './holders.ts';

/** How long, and which course of events. */
export type ChaosOptions = {
  readonly ms: number;
  readonly seed: number;
  readonly onProgress?: (line: string) => void;
};

/** What came of it. All that must be none is empty or 0 when all is well. */
export type ChaosFigures = {
  readonly struck: Readonly<Record<string, number>>;
  readonly commands: number;
  readonly unanswered: readonly string[];
  readonly answeredTwice: readonly string[];
  readonly messages: number;
  readonly markersTwice: number;
  readonly ratchetsTwice: number;
  readonly minted: number;
  readonly tokensTwice: readonly string[];
  readonly tokensMissing: readonly string[];
  readonly revokedAlive: readonly string[];
  readonly upstreamLeft: number;
  readonly sent: number;
  readonly sentLost: readonly string[];
  readonly sentTwice: readonly string[];
  readonly wrongAnswers: number;
  readonly answers: Readonly<Record<string, number>>;
  /**
   * From the homeserver's return to the gateway's first 200, and to the bot's first news; ms, one per outage.
   */
  readonly gatewayBackMs: readonly number[];
  readonly botBackMs: readonly number[];
  /** How long the first command after an outage waited for its answer, once the homeserver had it. */
  readonly answerMs: readonly number[];
  /** Resident memory, MB, over time. */
  readonly memory: readonly number[];
  readonly audit: number;
  readonly restarts: number;
};

const SETTLE_MS = 90_000;
const MAX_LIVE = 5;

/**
 * Runs Mintwarden against a homeserver that is stopped, started, slow and erring, with commands and traffic
 * going on.
 */
export async function runChaos({ ms, seed, onProgress }: ChaosOptions): Promise<ChaosFigures> {
  const tell = onProgress ?? ((): void => undefined);
  const random = seeded(seed);
  await using stage = await setTheStage({
    proxied: true,
    config: { 'policy.lease': '1m', 'policy.redact_after': '1h' },
  });
  const { mintwarden, synapse, olivia, users, ops } = stage;
  const control = mintwarden.controlRoomId;
  const pid = mintwarden.pid ?? 0;
  const first = await say(`!mint @alice --rooms ${ops} --can read,send:m.room.message --ttl 2h`);
  const firstId = await grantOf(first, 30_000);
  if (firstId === null) throw new Error('The first grant was not minted.');
  const { token } = await takeDelivery(stage, olivia, firstId);
  await joinDm(stage, olivia);
  const dm = olivia.invites().length === 0 ? await dmOf(stage, firstId) : '';
  const holders = startHolders(stage, token);

  const commands = new Map<string, string>([[first, 'mint']]);
  const revoked = new Set<string>();
  const memory: number[] = [];
  const struck: Record<string, number> = {};
  const gatewayBackMs: number[] = [];
  const botBackMs: number[] = [];
  const answerMs: number[] = [];
  const botAuthorization = `Bearer ${await botToken(stage)}`;
  const until = performance.now() + ms;
  const ending = new AbortController();
  const isOver = (): boolean => ending.signal.aborted;

  async function say(line: string): Promise<string> {
    return olivia.say(control, line);
  }
  /** The client too may need a moment after an outage. */
  async function sayInTheEnd(line: string): Promise<string> {
    for (let tries = 0; ; tries++) {
      try {
        return await say(line);
      } catch (error) {
        if (tries > 10) throw error;
        await sleep(500);
      }
    }
  }
  /** The grant that a mint's answer says is live; null: none, or no answer in time. */
  async function grantOf(eventId: string, timeoutMs: number): Promise<string | null> {
    const reply = await olivia.waitForReply(eventId, { timeoutMs }).catch(() => null);
    const text = reply === null ? '' : textOf(reply);
    return /\blive\b/.test(text) ? (/\b[0-9A-HJKMNP-TV-Z]{6,10}\b/.exec(text)?.[0] ?? null) : null;
  }
  const liveIds = (): string[] => mintedIds(stage).filter((id) => id !== firstId && !revoked.has(id));

  async function commander(): Promise<void> {
    while (!isOver()) {
      const live = liveIds();
      const choice = random();
      const id = live[0];
      const line =
        id !== undefined && (live.length >= MAX_LIVE || choice < 0.35)
          ? `!revoke ${id}`
          : choice < 0.75
            ? `!mint @alice --rooms ${ops} --ttl 1h`
            : choice < 0.9
              ? '!list'
              : '!status';
      const sent = await say(line).catch(() => null);
      if (sent !== null) {
        commands.set(sent, line);
        if (line.startsWith('!revoke') && id !== undefined) revoked.add(id);
      }
      await sleep(1_000 + random() * 4_000);
    }
  }
  async function memoryWatch(): Promise<void> {
    while (!isOver()) {
      memory.push(residentMb(pid));
      await sleep(Math.min(5_000, ms / 40));
    }
  }

  /**
   * How long until the gateway serves, until the bot hears, and how long an answer takes once the command is
   * at the homeserver.
   */
  async function measureReturn(): Promise<void> {
    const begun = performance.now();
    const begunAt = Date.now();
    const sinceMs = (): number => Math.round(performance.now() - begun);
    const deadline = begun + 60_000;
    const gateway = async (): Promise<void> => {
      const served = (): Promise<boolean> =>
        request(stage, token, 'GET', '/joined_rooms').then(
          (answer) => answer.status === 200,
          () => false,
        );
      while (performance.now() < deadline && !(await served())) await sleep(50);
      gatewayBackMs.push(sinceMs());
    };
    const hears = (): boolean =>
      stage.proxy.requests.some(
        (seen) =>
          seen.atMs >= begunAt &&
          seen.status === 200 &&
          seen.path.endsWith('/sync') &&
          seen.headers.authorization === botAuthorization,
      );
    const bot = async (): Promise<void> => {
      while (performance.now() < deadline && !hears()) await sleep(50);
      botBackMs.push(sinceMs());
    };
    // The client has queues and waits of its own: what they take is not the bot's.
    const answer = async (): Promise<void> => {
      const asked = await sayInTheEnd('!list').catch(() => null);
      if (asked === null) return;
      commands.set(asked, '!list');
      const sentAt = performance.now();
      while (performance.now() < deadline + 30_000 && !(await isAnswered(stage, control, asked)))
        await sleep(100);
      answerMs.push(Math.round(performance.now() - sentAt));
    };
    await Promise.all([gateway(), bot(), answer()]);
  }

  const working = [commander(), memoryWatch()];
  const all = misfortunes(synapse, stage.proxy, random);
  for (let turn = 0; performance.now() < until; turn++) {
    const misfortune = all[turn < all.length ? turn : Math.floor(random() * all.length)];
    if (misfortune === undefined) break;
    const left = until - performance.now();
    const forMs = Math.min(2_000 + random() * 10_000, Math.max(1_000, left / 3));
    tell(`${misfortune.name} for ${(forMs / 1_000).toFixed(1)} s`);
    struck[misfortune.name] = (struck[misfortune.name] ?? 0) + 1;
    await misfortune.strike(forMs);
    if (misfortune.isOutage) await measureReturn();
    await sleep(500 + random() * 3_000);
  }
  ending.abort();
  stage.proxy.heal();
  await Promise.all(working);
  await holders.stop();
  tell('calm; what waits comes to its end');

  const settled = performance.now() + SETTLE_MS;
  const open = async (): Promise<string[]> => {
    const replies = await repliesTo(stage, control);
    return [...commands.keys()].filter((id) => (replies.get(id) ?? 0) === 0);
  };
  while (performance.now() < settled && (await open()).length > 0) await sleep(500);
  // Every token that an answer calls live has come; then all of them are ended, and nothing is left behind.
  const ids = mintedIds(stage);
  const arrived = (): Map<string, number> => tokensIn(stage, dm);
  while (performance.now() < settled && ids.some((id) => !revoked.has(id) && !arrived().has(id)))
    await sleep(500);
  const tokens = new Map(
    olivia
      .timeline(dm)
      .flatMap((m) => /mwt_([0-9A-Z]+)_[0-9A-Za-z]{49}/.exec(textOf(m)) ?? [])
      .flatMap((_, index, list) =>
        index % 2 === 0 ? [[list[index + 1] ?? '', list[index] ?? ''] as const] : [],
      ),
  );
  for (const id of ids.filter((each) => !revoked.has(each))) {
    const eventId = await sayInTheEnd(`!revoke ${id}`);
    commands.set(eventId, `!revoke ${id}`);
    revoked.add(id);
  }
  while (performance.now() < settled && (await open()).length > 0) await sleep(500);
  while (performance.now() < settled && livePuppetTokens(synapse).length > 0) await sleep(500);
  const revokedAlive: string[] = [];
  for (const [id, scoped] of tokens)
    if ((await request(stage, scoped, 'GET', '/joined_rooms')).status !== 401) revokedAlive.push(id);

  const replies = await repliesTo(stage, control);
  const events = await botEvents(stage, [control, dm]);
  const markers = events
    .map((event) => event.content['org.mintwarden.id'])
    .filter((marker) => marker !== undefined);
  const bodies = (await roomEvents(synapse.baseUrl, users.alice.accessToken, ops)).map((event) =>
    String(event.content['body']),
  );
  const lines = readFileSync(mintwarden.logPath, 'utf8').split('\n');
  const restarts = lines.filter((line) => line.includes('"event":"ready"')).length - 1;
  await mintwarden.stop();
  return {
    struck,
    commands: commands.size,
    unanswered: [...commands].filter(([id]) => (replies.get(id) ?? 0) === 0).map(([, line]) => line),
    answeredTwice: [...commands].filter(([id]) => (replies.get(id) ?? 0) > 1).map(([, line]) => line),
    messages: events.length,
    markersTwice: markers.length - new Set(markers).size,
    ratchetsTwice: reusedRatchets(ratchetUses(events)).length,
    minted: ids.length,
    tokensTwice: [...arrived()].filter(([, count]) => count > 1).map(([id]) => id),
    tokensMissing: ids.filter((id) => !arrived().has(id) && !wasRevokedEarly(id)),
    revokedAlive,
    upstreamLeft: livePuppetTokens(synapse).length,
    sent: holders.accepted.length,
    sentLost: holders.accepted.filter((body) => !bodies.includes(body)),
    sentTwice: holders.accepted.filter((body) => bodies.filter((each) => each === body).length > 1),
    wrongAnswers: holders.traffic.wrong,
    answers: Object.fromEntries(
      [...holders.traffic.answers].map(([status, count]) => [String(status), count]),
    ),
    gatewayBackMs,
    botBackMs,
    answerMs,
    memory,
    audit: (await mintwarden.command('audit', 'verify')).status,
    restarts,
  };

  /** A token that was revoked before it could be sent never is. */
  function wasRevokedEarly(id: string): boolean {
    return [...commands.values()].includes(`!revoke ${id}`);
  }
}

/** The grants that answers in the control room call live, oldest first. */
function mintedIds(stage: Stage): string[] {
  const texts = stage.olivia
    .timeline(stage.mintwarden.controlRoomId)
    .filter((m) => m.sender === stage.mintwarden.botUserId)
    .map(textOf);
  return [
    ...new Set(
      texts.flatMap((text) => /^Grant ([0-9A-HJKMNP-TV-Z]{6,10})\b.*\blive\b/.exec(text)?.[1] ?? []),
    ),
  ];
}

/** How often each grant's token stands in the DM. */
function tokensIn(stage: Stage, dm: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const event of stage.olivia.timeline(dm)) {
    const id = /mwt_([0-9A-Z]+)_/.exec(textOf(event))?.[1];
    if (id !== undefined) found.set(id, (found.get(id) ?? 0) + 1);
  }
  return found;
}

async function dmOf(stage: Stage, grantId: string): Promise<string> {
  return (await takeDelivery(stage, stage.olivia, grantId)).message.roomId;
}

/** How many answers of the bot's there are to each event, by what the homeserver has. */
async function repliesTo(stage: Stage, room: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { content } of await botEvents(stage, [room]).catch(() => [])) {
    const relates = content['m.relates_to'] as { 'm.in_reply_to'?: { event_id?: string } } | undefined;
    const to = relates?.['m.in_reply_to']?.event_id;
    if (to !== undefined) found.set(to, (found.get(to) ?? 0) + 1);
  }
  return found;
}

/** Whether the bot's answer to a recent event is there. */
async function isAnswered(stage: Stage, room: string, eventId: string): Promise<boolean> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=30`;
  const { chunk } = await matrixRequest<{ chunk: WireEvent[] }>(stage.synapse.baseUrl, 'GET', path, {
    token: stage.users.olivia.accessToken,
  }).catch(() => ({ chunk: [] }));
  return chunk.some(
    ({ sender, content }) =>
      sender === stage.mintwarden.botUserId &&
      JSON.stringify(content['m.relates_to'] ?? null).includes(eventId),
  );
}

/** The bot's own access token, to tell its requests from holders'. */
async function botToken({ mintwarden }: Stage): Promise<string> {
  const config = parseDocument(await readFile(mintwarden.configPath, 'utf8'));
  return (
    await readFile(join(mintwarden.dir, String(config.getIn(['bot', 'access_token_file']))), 'utf8')
  ).trim();
}

async function botEvents(stage: Stage, rooms: readonly string[]): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for (const room of rooms)
    events.push(...(await roomEvents(stage.synapse.baseUrl, stage.users.olivia.accessToken, room)));
  return events.filter(
    (event) => event.sender === stage.mintwarden.botUserId && event.type === 'm.room.encrypted',
  );
}

/** Only Linux says it; 0 elsewhere. */
function residentMb(pid: number): number {
  if (!existsSync(`/proc/${String(pid)}/status`)) return 0;
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  return Math.round(Number(kb) / 1_024);
}
