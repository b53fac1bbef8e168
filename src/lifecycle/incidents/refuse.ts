import { MintwardenError } from '../../domain/errors.ts';
import type { World } from '../services.ts';
import { issuerTrouble, noteIssuer, type IssuerStanding } from './issuer-status.ts';

/** Nothing new is begun that could not be written down to its end. @throws MintwardenError `state` */
export function refuseInTrouble(world: World): void {
  const full = world.troubles?.now().find(({ kind }) => kind === 'disk');
  if (full !== undefined) throw new MintwardenError('state', full.sentence, full.next);
}

/**
 * Says what is wrong with the issuer account, where that is why the homeserver refused; else throws the error
 * as it is.
 */
export async function blameIssuer(world: World, error: unknown): Promise<never> {
  if (
    !(error instanceof MintwardenError) ||
    error.code !== 'homeserver-refused' ||
    world.issuerStanding === undefined
  )
    throw error;
  const standing = await world.issuerStanding().catch((): IssuerStanding => 'good');
  const found = issuerTrouble(standing);
  if (found === null) throw error;
  if (world.troubles !== undefined) noteIssuer(world.troubles, standing);
  throw new MintwardenError('homeserver-refused', found.sentence, found.next, { cause: error });
}
