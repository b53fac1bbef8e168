import { MintwardenError } from '../domain/errors.ts';
import { isGrantIdPrefix, MIN_PREFIX, normaliseGrantId, parseGrantId } from '../domain/grant-id.ts';
import type { Grant } from '../domain/grant.ts';
import type { UserId } from '../domain/ids.ts';
import type { Ledger } from '../ports/ledger.ts';

/** Where grants are looked up. */
type Grants = { readonly ledger: Pick<Ledger, 'grantsByPrefix' | 'grants'> };

const SHOWN = 5;
const NEAR = 500;

/**
 * The grant someone named, by its id or an unambiguous beginning of it.
 * @param subject only this user's grants are found; null: everyone's
 * @throws MintwardenError `usage` | `not-found` (with what may have been meant) | `ambiguous` (with what it
 *   could be)
 */
export async function locate(services: Grants, text: string, subject: UserId | null): Promise<Grant> {
  const typed = normaliseGrantId(text.trim());
  if (!isGrantIdPrefix(typed)) {
    throw new MintwardenError(
      'usage',
      `“${shorten(text)}” is not a grant id.`,
      `A grant id looks like 7F3K9Q; ${MIN_PREFIX} characters of it are enough. ${subject === null ? '!list shows them' : '!tokens shows yours'}.`,
    );
  }
  const theirs = (grant: Grant) => subject === null || grant.subject === subject;
  const found = (await services.ledger.grantsByPrefix(typed, subject === null ? SHOWN + 1 : NEAR)).filter(
    theirs,
  );
  const exact = found.find((grant) => grant.id === typed);
  if (exact !== undefined) return exact;
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  if (only !== undefined) {
    const ids = found.slice(0, SHOWN).map((grant) => grant.id);
    const more = found.length > SHOWN ? ' and others' : '';
    throw new MintwardenError(
      'ambiguous',
      `${typed} could be ${ids.join(', ')}${more}.`,
      'Write one more character of the id.',
    );
  }
  const near = await nearby(services, typed, theirs);
  const all = subject === null ? '!list shows the grants there are.' : '!tokens shows yours.';
  if (near.length === 0) throw new MintwardenError('not-found', `There is no grant ${typed}.`, all);
  const mistyped = typed.length >= 6 && parseGrantId(typed) === null ? 'is mistyped' : 'is no grant';
  throw new MintwardenError(
    'not-found',
    `${typed} ${mistyped}.`,
    `Did you mean ${near.slice(0, 3).join(' or ')}?`,
  );
}

function shorten(text: string): string {
  return text.length > 20 ? `${text.slice(0, 20)}…` : text;
}

/**
 * Recent grants whose id begins with what was typed but for one slip: a wrong, missing, spare or swapped
 * character.
 */
async function nearby(services: Grants, typed: string, theirs: (grant: Grant) => boolean): Promise<string[]> {
  const recent = (await services.ledger.grants({ limit: NEAR })).filter(theirs);
  return recent.map((grant) => grant.id).filter((id) => oneSlip(typed, id));
}

function oneSlip(typed: string, id: string): boolean {
  let start = 0;
  while (start < typed.length && typed[start] === id[start]) start++;
  const rest = typed.slice(start);
  const wanted = id.slice(start);
  if (wanted.startsWith(rest.slice(1))) return true;
  if (wanted.slice(1).startsWith(rest)) return true;
  const swapped = `${rest[1] ?? ''}${rest[0] ?? ''}${rest.slice(2)}`;
  return wanted.startsWith(swapped);
}
