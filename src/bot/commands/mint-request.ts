import { parseDuration } from '../../domain/duration.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { MintRequest } from '../../lifecycle/requests.ts';
import { required, type Arguments } from '../arguments.ts';
import type { Capabilities, Invocation } from '../capabilities.ts';
import { OUT_FLAG } from '../command-description.ts';
import { parseScope } from '../values/scope.ts';
import { parseUserReference } from '../values/user.ts';

/** What the words ask for. @throws MintwardenError `usage` */
export function mintRequest(
  context: Invocation & Pick<Capabilities, 'serverName' | 'policy'>,
  args: Arguments,
): MintRequest {
  const { serverName } = context;
  const to = args.values.get('to');
  const ttl = args.values.get('ttl');
  if (to !== undefined && args.values.has(OUT_FLAG.name)) {
    throw new MintwardenError(
      'usage',
      'Either somebody is sent the token, or it goes into a file.',
      'Leave out --to, or --out.',
    );
  }
  return {
    minter: context.sender,
    subject: parseUserReference(required(args.positionals, 'USER'), serverName),
    recipient: to === undefined ? null : parseUserReference(to, serverName),
    ...(args.values.has(OUT_FLAG.name) ? { intoFile: true as const } : {}),
    ...parseScope(args, serverName, context.policy().presets),
    ttlMs: ttl === undefined ? null : parseDuration(ttl),
    reason: args.values.get('reason') ?? null,
    command: context.key,
  };
}
