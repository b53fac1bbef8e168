import { MintwardenError } from '../../domain/errors.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';

/** The access of a request whose token was found valid. @throws MintwardenError `internal` before that */
export function requireAccess({ access }: { readonly access: Access | null }): Access {
  if (access === null) throw new MintwardenError('internal', 'A step ran before the token was verified.');
  return access;
}
