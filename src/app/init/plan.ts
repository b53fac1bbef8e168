import { existsSync } from 'node:fs';
import type { Config } from '../../config/index.ts';
import { cryptoFolder, seedsFile } from '../paths.ts';
import { secretFiles, type AccountSpec, type AccountState } from './account.ts';
import type { Plan, PlanLine } from './plan-lines.ts';
import type { InitState } from './state.ts';

/** What `init` will do, for people to read first. */
export function buildPlan(
  found: InitState,
  look: {
    readonly bot: AccountState;
    readonly issuer: AccountState;
    readonly isLimited: boolean;
    readonly botIsIn: boolean;
  },
): Plan {
  const { bot, issuer, existing, givenRoom, admins, secretsDir, configFile } = found;
  const renewed = existing !== null && areKeysLost(existing);
  const steps: PlanLine[] = [];
  const kept: string[] = [...found.kept];
  const account = ({ userId, isIssuer }: AccountSpec, { exists, session }: AccountState): void => {
    const what = isIssuer
      ? ', a server administrator, which makes tokens and never chats'
      : ', which chats and is no administrator';
    if (exists) kept.push(`the account ${userId}`);
    else steps.push({ verb: 'make', what: `the account ${userId}${what}` });
    if (session === null || (renewed && !isIssuer)) {
      const { password, token } = secretFiles(secretsDir, userId);
      steps.push({
        verb: 'log in',
        what: `${userId}${renewed && !isIssuer ? ' again, since the keys of its session are lost' : ''}`,
      });
      steps.push({ verb: 'write', what: `${exists ? '' : `${password}, `}${token} (readable by you alone)` });
    }
  };
  account(bot, look.bot);
  if (look.isLimited)
    steps.push({ verb: 'lift', what: `the rate limit of ${bot.userId}, so that a notice never has to wait` });
  account(issuer, look.issuer);
  if (existing !== null) kept.push(`the control room ${existing.control_room}`);
  else if (givenRoom !== null) {
    kept.push(
      `the room ${givenRoom}, which becomes the control room; you invite the admins who are missing there`,
    );
    if (!look.botIsIn) steps.push({ verb: 'join', what: `${givenRoom} as ${bot.userId}` });
  } else {
    const again = look.bot.session === null ? '' : ' (or find the one that an earlier run made)';
    steps.push({
      verb: 'make',
      what: `the control room: private, encrypted, by invitation; admins have full power in it${again}`,
    });
    steps.push({ verb: 'invite', what: admins.join(', ') });
  }
  if (existing === null)
    steps.push({
      verb: 'write',
      what: `${configFile}${existsSync(configFile) ? ', in place of the one that is there' : ''}`,
    });
  return { title: `On ${found.serverName} (Synapse ${found.version}) init will:`, steps, kept };
}

/** The bot has run, since its cross-signing seeds are there, but the keys of its session are not. */
export function areKeysLost(config: Config): boolean {
  return existsSync(seedsFile(config)) && !existsSync(cryptoFolder(config));
}
