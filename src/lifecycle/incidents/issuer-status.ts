import type { Incidents } from './incidents.ts';

/** How the issuer account stands with the homeserver. */
export type IssuerStatus = 'ok' | 'logged-out' | 'not-admin';

const WORDS = {
  'logged-out': {
    kind: 'issuer-logged-out',
    sentence:
      'The homeserver does not know the issuer account’s access token any more: nothing can be minted or renewed.',
    next: 'An operator runs `mintwarden init` again, or puts a new token of that account into its file, which is then read again by itself.',
  },
  'not-admin': {
    kind: 'issuer-not-admin',
    sentence:
      'The homeserver does not take the issuer account for a server administrator any more: nothing can be minted or renewed.',
    next: 'An operator gives it back that right at the homeserver; `mintwarden doctor` says how.',
  },
} as const;

/** What is wrong with the issuer account, in words; null where nothing is. */
export function issuerIncident(status: IssuerStatus): (typeof WORDS)[keyof typeof WORDS] | null {
  return status === 'ok' ? null : WORDS[status];
}

/** Notes how it stands. */
export function recordIssuerStatus(incidents: Incidents, status: IssuerStatus): void {
  const found = issuerIncident(status);
  for (const { kind } of Object.values(WORDS))
    if (kind !== found?.kind) incidents.resolve(kind, found === null ? 'resolved' : 'superseded');
  if (found !== null) incidents.open(found.kind, found.sentence, found.next);
}
