import { inspectAccount } from './account.ts';
import { checkAdoptable } from './adopt-room.ts';
import { carryOut, isRateLimited, type InitResult } from './carry-out.ts';
import { buildPlan } from './plan.ts';
import type { Plan } from './plan-lines.ts';
import { gatherState, synapseAs, type InitOptions } from './state.ts';

/** What would be done, and the way to do it. Until `carryOut` nothing is changed anywhere. */
export type PreparedInit = { readonly plan: Plan; carryOut(): Promise<InitResult> };

/** Prepares and carries out, without asking anybody. @throws MintwardenError as `prepareInit` */
export async function init(options: InitOptions): Promise<InitResult> {
  return (await prepareInit(options)).carryOut();
}

/**
 * Looks at everything that setting Mintwarden up needs, and at what an earlier run has made, and says what is
 * left to do: two accounts, their sessions, secrets, the control room, the configuration. Changes nothing.
 * @throws MintwardenError that says what stands in the way and what to do
 */
export async function prepareInit(options: InitOptions): Promise<PreparedInit> {
  const found = await gatherState(options);
  await using synapse = synapseAs(found, options.adminToken);
  const bot = await inspectAccount(found.bot, synapse.admin, found.secretsDir);
  const issuer = await inspectAccount(found.issuer, synapse.admin, found.secretsDir);
  const isLimited = !bot.exists || (await isRateLimited(synapse, found.bot.userId));
  const botIsIn =
    found.givenRoom === null ? false : await checkAdoptable(synapse.admin, found.givenRoom, found.bot.userId);
  return { plan: buildPlan(found, { bot, issuer, isLimited, botIsIn }), carryOut: () => carryOut(found) };
}
