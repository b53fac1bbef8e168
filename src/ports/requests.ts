import type { Explanation, Question } from '../domain/explanation.ts';
import type { Grant } from '../domain/grant.ts';

/** What the gateway would make of a request, for people who ask. The homeserver is asked nothing for it. */
export interface Requests {
  /** @throws MintwardenError `state` where the ledger cannot be read */
  explain(question: Question, grant: Grant): Promise<Explanation>;
}
