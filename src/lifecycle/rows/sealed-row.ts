import type { GrantId, LeaseId } from '../../domain/ids.ts';

/** The row a sealed scoped token is bound to. */
export function grantRow(id: GrantId): string {
  return `grant:${id}`;
}

/** The row a sealed upstream token is bound to. */
export function leaseRow(id: LeaseId): string {
  return `lease:${id}`;
}
