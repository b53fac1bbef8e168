import type { RoomId } from '../../domain/ids.ts';
import type { GatewayResponse } from '../http/response.ts';

/**
 * Makes the holder's answer from the homeserver's. It builds a new one from what it knows: a key or section
 * that it does not know is not in it.
 * @param rooms the rooms in scope at this moment
 * @throws MintwardenError `homeserver-invalid-response` where the answer is not what the specification says
 */
export type AnswerFilter = (body: unknown, rooms: ReadonlySet<RoomId>) => GatewayResponse;
