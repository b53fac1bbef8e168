import type { UserId } from '../domain/ids.ts';
import { firewall } from '../domain/endpoint-rule.ts';
import type { Network } from '../domain/network.ts';
import type { Policy } from '../domain/policy.ts';
import { type Preset, PRESETS } from '../domain/preset.ts';
import type { LimitsConfig } from './limit-keys.ts';
import type { FileContent } from './schema.ts';

/** One of the two accounts, with its secrets read. */
export type AccountConfig = {
  readonly user_id: UserId;
  readonly access_token: string;
  /** Absent where none is configured. */
  readonly password?: string;
};

/**
 * What the operator configured, under the names of the file: checked, complete, secrets read, paths
 * absolute, addresses without a slash at their end, durations in milliseconds.
 */
export type Config = Omit<FileContent, 'bot' | 'issuer' | 'gateway' | 'monitoring'> & {
  /** Where it was read from. */
  readonly file: string;
  readonly bot: AccountConfig;
  readonly issuer: AccountConfig & { readonly kind: 'synapse' };
  readonly gateway: {
    /** Port 0: any free one. */
    readonly listen: { readonly host: string; readonly port: number };
    readonly public_url: string;
    /** 0: in the bot's process. */
    readonly processes: number;
    readonly trusted_proxies: readonly Network[];
    readonly transport: 'auto' | 'undici';
    readonly filter: 'auto' | 'tree';
    readonly limits: LimitsConfig;
  };
  readonly monitoring: {
    readonly listen: { readonly host: string; readonly port: number } | null;
    readonly hosts: readonly string[];
  };
  /** The files that secrets were read from, for `doctor` to look at. */
  readonly secret_files: readonly string[];
};

/** What the decisions are made by. */
export function toPolicy(config: Pick<Config, 'admins' | 'policy'>): Policy {
  const { policy } = config;
  return {
    admins: config.admins,
    defaultTtlMs: policy.default_ttl,
    maxTtlMs: policy.max_ttl,
    privilegedSubjects: policy.privileged_subjects,
    protectedSubjects: policy.protected_subjects,
    reasonRequired: policy.reason_required,
    deliverWithinMs: policy.deliver_within,
    redactAfterMs: policy.redact_after,
    leaseMs: policy.lease,
    commandMaxAgeMs: policy.command_max_age,
    maxLiveGrants: policy.max_live_grants,
    maxLiveGrantsPerSubject: policy.max_live_grants_per_subject,
    presets: presetsOf(policy.presets),
  };
}

/** Those built in, and the operator's besides or instead. */
function presetsOf(configured: FileContent['policy']['presets']): ReadonlyMap<string, Preset> {
  const own = Object.entries(configured).map(
    ([name, { explanation, can, allow, deny, ...limits }]): [string, Preset] => {
      const rules = firewall(allow ?? [], deny ?? []);
      const there = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
      return [
        name,
        { explanation, can, limits: { ...there, ...(rules === null ? {} : { rules: [rules] }) } },
      ];
    },
  );
  return new Map([...Object.entries(PRESETS), ...own]);
}

/** The configuration for people and logs: no secret is in it. */
export function redactedConfig(config: Config): object {
  const hide = (account: AccountConfig) => ({
    ...account,
    access_token: '(set)',
    password: account.password === undefined ? '(not set)' : '(set)',
  });
  return { ...config, bot: hide(config.bot), issuer: hide(config.issuer) };
}
