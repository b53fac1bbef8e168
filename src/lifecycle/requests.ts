import type { Permission } from '../domain/permission.ts';
import type { CommandKey } from '../domain/change.ts';
import type { Grant } from '../domain/grant.ts';
import type { Actor, RoomAlias, RoomId, UserId } from '../domain/ids.ts';
import type { ScopeLimits } from '../domain/scope.ts';

/** A room as someone named it: an id, an alias, or the beginning of an id. */
export type RoomReference =
  | { readonly kind: 'id'; readonly roomId: RoomId }
  | { readonly kind: 'alias'; readonly alias: RoomAlias }
  | { readonly kind: 'prefix'; readonly text: string };

/** What `!mint` asks for, parsed. */
export type MintRequest = {
  readonly minter: Actor;
  readonly subject: UserId;
  /** Null: the minter. */
  readonly recipient: UserId | null;
  /** An operator takes the token into a file: nobody is sent it. */
  readonly intoFile?: true;
  readonly rooms: 'all' | readonly RoomReference[];
  /** What it may do. Absent: read. */
  readonly can?: readonly Permission[];
  /** What else narrows it. */
  readonly limits: ScopeLimits;
  /** Null: the policy's default. */
  readonly ttlMs: number | null;
  readonly reason: string | null;
  readonly command: CommandKey | null;
};

/**
 * What would be made: the same that a preview shows and `mint` makes. `grant` has an id and a token hash
 * only once it is really made; the preview's are placeholders nobody sees.
 */
export type MintPlan = {
  readonly grant: Omit<Grant, 'id' | 'tokenHash' | 'sealedToken'>;
  readonly recipientJoined: boolean;
};

/** `begun`: the answer comes through the outbox. `seen`: this command was acted on before; say nothing. */
export type CommandOutcome = { readonly kind: 'begun'; readonly grant: Grant } | { readonly kind: 'seen' };

/** What `!revoke` asks for. `where` decides who hears the answer. */
export type RevokeRequest = {
  readonly grant: Grant;
  readonly by: Actor;
  readonly as: 'admin' | 'subject';
  readonly command: CommandKey | null;
};
