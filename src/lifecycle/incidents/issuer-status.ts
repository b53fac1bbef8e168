import type { Troubles } from './incidents.ts';

/** How the issuer account stands with the homeserver. */
export type IssuerStanding = 'good' | 'logged-out' | 'not-admin';

const WORDS = {
  'logged-out': {
    kind: 'issuer-logged-out',
    sentence:
      'The homeserver does not know the issuer account’s access token any more: nothing can be minted or renewed.',
    next: 'An operator runs `mintwarden init` again, or puts a new token of that account into its file: it is read anew by itself.',
  },
  'not-admin': {
    kind: 'issuer-not-admin',
    sentence:
      'The homeserver does not take the issuer account for a server administrator any more: nothing can be minted or renewed.',
    next: 'An operator gives it back that right at the homeserver; `mintwarden doctor` says how.',
  },
} as const;

/** What is wrong with the issuer account, in words; null where nothing is. */
export function issuerTrouble(standing: IssuerStanding): (typeof WORDS)[keyof typeof WORDS] | null {
  return standing === 'good' ? null : WORDS[standing];
}

/** Notes how it stands. */
export function noteIssuer(troubles: Troubles, standing: IssuerStanding): void {
  const found = issuerTrouble(standing);
  for (const { kind } of Object.values(WORDS))
    if (kind !== found?.kind) troubles.over(kind, found === null ? 'over' : 'gave-way');
  if (found !== null) troubles.begin(found.kind, found.sentence, found.next);
}
