import { createHmac, hkdfSync } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, readConfigSource } from '../config/index.ts';
import type { Mac } from '../domain/anchor.ts';
import { MintwardenError } from '../domain/errors.ts';
import { compareState, type Comparison } from '../lifecycle/anchors/compare-state.ts';
import {
  recordOldCopy,
  recordHomeserverRestored,
  recordLostState,
} from '../lifecycle/anchors/record-findings.ts';
import type { AnchorParts } from '../lifecycle/anchors/anchor-parts.ts';
import { loginWithPassword, logout } from '../matrix/sessions.ts';
import { createAnchorage } from '../matrix/anchorage.ts';
import type { Log } from '../ports/log.ts';
import { cryptoFolder } from './paths.ts';
import { writePrivate } from './private-files.ts';

const MIN_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

/** The key of anchors: only the sealing key can derive it. */
export function anchorMac(sealingKey: Uint8Array): Mac {
  const key = Buffer.from(hkdfSync('sha256', sealingKey, '', 'mintwarden anchors', 32));
  return (text) => createHmac('sha256', key).update(text).digest('hex');
}

/**
 * What anchors need of this installation. `token` gives the bot's as it is then; `pageByIssuer` reads
 * the control room where the bot may not.
 */
export function anchorParts(
  config: Config,
  rest: Omit<AnchorParts, 'anchorage'>,
  token: () => string,
  pageByIssuer?: (query: Readonly<Record<string, string>>) => Promise<unknown>,
): AnchorParts {
  return {
    ...rest,
    anchorage: createAnchorage({
      homeserverUrl: config.homeserver.url,
      accessToken: token,
      userId: config.bot.user_id,
      roomId: config.control_room,
      ...(pageByIssuer !== undefined && { pageByIssuer }),
    }),
  };
}

/** What was found before anything else used the state. */
export type AnchorCheck = {
  /** The state is an old copy that nobody has confirmed. */
  readonly isOldCopy: boolean;
  /** False: the control room could not be looked into; see `startAnchors`. */
  readonly compared: boolean;
  /**
   * The bot has another session, since the old copy's encryption store may not be used on: its token is in
   * its file.
   */
  readonly sessionRenewed: boolean;
};

/**
 * Before anything else uses the state: compares it with what the control room holds of it. An old copy is
 * held, and the bot gets a new session, since the old encryption store would use the same keys a second time.
 * Waits for a homeserver that is away.
 * @param forgetPosition forgets where in the stream of events the bot was
 * @throws MintwardenError `state`
 */
export async function checkAgainstAnchors(
  config: Config,
  parts: AnchorParts,
  means: {
    readonly leaseMs: number;
    readonly forgetPosition: () => Promise<void>;
    readonly signal: AbortSignal;
  },
): Promise<AnchorCheck> {
  const { log } = parts;
  const found = await compareWithRetry(parts, means.signal);
  if (found === null)
    return { isOldCopy: (await parts.store.oldCopy()) !== null, compared: false, sessionRenewed: false };
  if (found.homeserverForgot) {
    await means.forgetPosition();
    log.warn('the homeserver has forgotten an anchor: it was restored from a backup', {
      killing: await recordHomeserverRestored(parts),
    });
  }
  const { state } = found;
  if (state.kind === 'lost') {
    await recordLostState(parts, state.anchor, means.leaseMs);
    log.warn('the state was lost: another history begins', { anchorSeq: state.anchor.seq });
  }
  if (state.kind !== 'held') return { isOldCopy: false, compared: true, sessionRenewed: false };
  log.error('the state is an old copy: no token is honoured until an operator confirms it', {
    anchorSeq: state.copy.anchor.seq,
    seq: state.copy.seq,
  });
  if (!state.isNew) return { isOldCopy: true, compared: true, sessionRenewed: false };
  await means.forgetPosition();
  await rm(cryptoFolder(config), { recursive: true, force: true });
  const sessionRenewed = await renewSession(config, log);
  // Last: a start that was interrupted before this does everything again.
  await recordOldCopy(parts, state.copy);
  return { isOldCopy: true, compared: true, sessionRenewed };
}

/**
 * Null where the control room cannot be read and waiting does not help: other checks then report what is
 * wrong.
 */
async function compareWithRetry(parts: AnchorParts, signal: AbortSignal): Promise<Comparison | null> {
  for (let pauseMs = MIN_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      return await compareWithFallback(parts);
    } catch (error) {
      const code = error instanceof MintwardenError ? error.code : 'internal';
      if (code !== 'homeserver-unreachable' && code !== 'homeserver-invalid-response') throw error;
      parts.log.warn('waiting for the homeserver to show the control room', { code });
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

/**
 * Where the bot may not look into the control room, the issuer account does: an old copy must be found
 * even if the bot was removed from the room or its token is dead. Other findings are left to the bot. Null:
 * neither account may read it.
 */
async function compareWithFallback(parts: AnchorParts): Promise<Comparison | null> {
  const { anchorage, log } = parts;
  const newest = anchorage.newestByIssuer?.bind(anchorage);
  const refused = await catchRefusal(() => compareState(parts));
  if (refused.kind === 'done') return refused.value;
  log.warn('the control room could not be asked for anchors', { code: refused.kind });
  if (newest === undefined) return null;
  // This way it cannot be found out whether the homeserver has forgotten an anchor.
  const found = await catchRefusal(() =>
    compareState({ ...parts, anchorage: { ...anchorage, newest, has: async () => true } }),
  );
  if (found.kind !== 'done') log.warn('nor could the issuer account ask for them', { code: found.kind });
  return found.kind === 'done' && found.value.state.kind === 'held' ? found.value : null;
}

async function catchRefusal<T>(
  work: () => Promise<T>,
): Promise<{ readonly kind: 'done'; readonly value: T } | { readonly kind: 'homeserver-refused' }> {
  try {
    return { kind: 'done', value: await work() };
  } catch (error) {
    if (error instanceof MintwardenError && error.code === 'homeserver-refused')
      return { kind: 'homeserver-refused' };
    throw error;
  }
}

/**
 * Logs the bot in as a new device, and the old one out. False where there is no password, or no file to write
 * the token to.
 */
async function renewSession(config: Config, log: Log): Promise<boolean> {
  const { content, file } = await readConfigSource(config.file, process.env);
  const tokenFile = content.bot.access_token_file;
  if (config.bot.password === undefined || tokenFile === undefined) {
    log.warn(
      'the bot cannot be logged in again by itself: it has no password, or its token stands in no file',
    );
    return false;
  }
  const { url } = config.homeserver;
  const session = await loginWithPassword(url, config.bot.user_id, config.bot.password, 'Mintwarden');
  await writePrivate(resolve(dirname(file), tokenFile), `${session.accessToken}\n`);
  await logout(url, config.bot.access_token).catch(() =>
    log.warn('the old session of the bot could not be logged out'),
  );
  log.info('the bot was logged in again');
  return true;
}
