import { z } from 'zod';
import { parseStoredPermission, parseTypePattern } from './permission.ts';
import { parseCreatorPattern } from './creator.ts';
import { parseEndpoint } from './endpoint-rule.ts';
import { ENFORCED, type Enforcement, unenforced } from './enforced.ts';
import { MintwardenError } from './errors.ts';
import { parseRoomId } from './ids.ts';
import { parseNetwork } from './network.ts';
import type { Scope } from './scope.ts';

/** A text in its one spelling: what reads back as something else was not written by us. */
function spelled<T extends string>(parse: (text: string) => T | null) {
  return z.string().transform((text, context): T => {
    try {
      const value = parse(text);
      if (value !== null && value === text) return value;
    } catch (error) {
      if (!(error instanceof MintwardenError)) throw error;
    }
    context.addIssue({ code: 'custom', message: 'not understood' });
    return z.NEVER;
  });
}

const stored = z.strictObject({
  v: z.literal(1),
  rooms: z.union([z.literal('all'), z.array(spelled(parseRoomId)).readonly()]),
  can: z.array(spelled(parseStoredPermission)).readonly(),
  // Without a server part it would not read back as it stands.
  by: z
    .array(spelled((text) => parseCreatorPattern(text, '')))
    .readonly()
    .exactOptional(),
  types: z.array(spelled(parseTypePattern)).readonly().exactOptional(),
  power: z.int().exactOptional(),
  rules: z
    .array(
      z
        .array(z.strictObject({ verdict: z.enum(['allow', 'deny']), on: spelled(parseEndpoint) }))
        .min(1)
        .readonly(),
    )
    .min(1)
    .readonly()
    .exactOptional(),
  from: z.array(spelled(parseNetwork)).readonly().exactOptional(),
  uses: z.int().positive().exactOptional(),
  followUpgrades: z.literal(true).exactOptional(),
});

/**
 * A scope as it was stored. What is not known (a key, a capability, a version), and what the gateway of this
 * version does not enforce, makes the whole of it void: a scope that is not understood allows nothing.
 * @throws MintwardenError `state`
 */
export function parseScope(value: unknown, enforced: Enforcement = ENFORCED): Scope {
  const result = stored.safeParse(value);
  if (!result.success) {
    throw new MintwardenError(
      'state',
      'A stored scope has something in it that this version does not know; it allows nothing.',
    );
  }
  if (unenforced(result.data, enforced).length === 0) return result.data;
  throw new MintwardenError(
    'state',
    'A stored scope has something in it that this version’s gateway does not enforce; it allows nothing.',
  );
}
