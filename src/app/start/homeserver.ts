import { createSynapse, type Synapse } from '../../issuers/synapse/synapse.ts';
import { createSteadyClock, type SteadyClock } from '../../lifecycle/time/steady-clock.ts';
import { createAccountTokens, type AccountTokens } from '../account-tokens.ts';
import { homeserverTime } from '../homeserver-time.ts';
import { waitForHomeserver } from '../wait-for-homeserver.ts';
import { wallClock, type StartContext } from './context.ts';
import type { Stores } from './stores.ts';

const TIMEOUT_MS = 30_000;

/** The homeserver as the issuer account reaches it, and the clock that it is a witness of. */
export type Homeserver = {
  readonly tokens: AccountTokens;
  readonly clock: SteadyClock;
  /** The homeserver's time, epoch ms; null where it gave none. */
  readonly time: () => Promise<number | null>;
  readonly synapse: Synapse;
};

/** Waits until the homeserver answers, and connects to its admin API. */
export async function connectHomeserver(
  context: StartContext,
  { ledger, cache }: Stores,
): Promise<Homeserver> {
  const { config, log, signal, lifetime } = context;
  const { url, server_name: serverName } = config.homeserver;
  const tokens = createAccountTokens(config, process.env, log, cache.space<string>('sessions'));
  await waitForHomeserver(url, log, signal);
  await tokens.prepare();
  const clock = createSteadyClock({
    wall: wallClock.now,
    monotonic: () => performance.now(),
    latest: await ledger.anchors.latestSeen(),
  });
  const time = (): Promise<number | null> => homeserverTime(url);
  const first = await time();
  if (first !== null) clock.observed(first);
  const synapse = lifetime.use(
    createSynapse({
      homeserverUrl: url,
      serverName,
      issuerToken: tokens.issuer,
      onRefusedToken: async (hasSessionEnded) => {
        const before = tokens.issuer();
        await (hasSessionEnded ? tokens.renew('issuer') : tokens.reload());
        return tokens.issuer() !== before;
      },
      botUserId: config.bot.user_id,
      timeoutMs: TIMEOUT_MS,
      clock,
      log,
    }),
  );
  return { tokens, clock, time, synapse };
}
