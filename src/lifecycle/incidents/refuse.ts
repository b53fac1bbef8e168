import { MintwardenError } from '../../domain/errors.ts';
import type { Services } from '../services.ts';
import { issuerIncident, recordIssuerStatus, type IssuerStatus } from './issuer-status.ts';

/** Nothing new is begun that could not be written down to its end. @throws MintwardenError `state` */
export function refuseDuringIncident(services: Services): void {
  const full = services.incidents.current().find(({ kind }) => kind === 'disk');
  if (full !== undefined) throw new MintwardenError('state', full.sentence, full.next);
}

/**
 * Says what is wrong with the issuer account, where that is why the homeserver refused; else throws the error
 * as it is.
 */
export async function explainIssuerRefusal(services: Services, error: unknown): Promise<never> {
  if (!(error instanceof MintwardenError) || error.code !== 'homeserver-refused') throw error;
  const status = await services.issuerStatus().catch((): IssuerStatus => 'ok');
  const found = issuerIncident(status);
  if (found === null) throw error;
  recordIssuerStatus(services.incidents, status);
  throw new MintwardenError('homeserver-refused', found.sentence, found.next, { cause: error });
}
