import type { Call } from '../http/call.ts';
import { type GatewayResponse, isResponse } from '../http/response.ts';
import type { MediaAction } from '../media/media.ts';
import { requireAccess } from '../request/access.ts';
import type { Task } from '../request/task.ts';
import { onBehalfOf, toolsOf } from '../request/tools.ts';
import type { MultiStep } from '../upstream/tools.ts';
import type { WriteRequest } from '../writes/write-request.ts';

type Plan = (call: Call) => Task | GatewayResponse;

/** Several questions to the homeserver. */
export function multiStep(read: (call: Call) => MultiStep | GatewayResponse): Plan {
  return (call) => {
    const steps = read(call);
    if (isResponse(steps)) return steps;
    return {
      kind: 'multiStep',
      steps,
      run: (context, services) => steps(toolsOf(context, services)),
    };
  };
}

/** A write that is sent once. */
export function write(read: (call: Call) => WriteRequest | GatewayResponse): Plan {
  return (call) => {
    const request = read(call);
    if (isResponse(request)) return request;
    return {
      kind: 'write',
      write: request,
      run: (context, services) => services.write(request, requireAccess(context), onBehalfOf(context)),
      conditions: conditionsOf(request, call),
    };
  };
}

function conditionsOf(
  { roomId, onlyUnencrypted, targets }: WriteRequest,
  { access }: Call,
): readonly string[] {
  const isEncrypted = access.grant.rooms.some((room) => room.roomId === roomId && room.encrypted);
  const where = isEncrypted ? 'The room was encrypted when the token was made' : 'If the room is encrypted';
  return [
    ...(onlyUnencrypted
      ? [`${where}: then nothing is sent there in clear, for lack of the capability plaintext.`]
      : []),
    ...(targets.length > 0 ? ['The events it names are looked up in that room first.'] : []),
  ];
}

/** A file, in either direction. @param conditions what must hold besides, in sentences */
export function media(
  read: (call: Call) => MediaAction | GatewayResponse,
  ...conditions: readonly string[]
): Plan {
  return (call) => {
    const action = read(call);
    if (isResponse(action)) return action;
    return {
      kind: 'media',
      action,
      run: (context, services) =>
        services.media.run(action, requireAccess(context), context.message, onBehalfOf(context)),
      conditions,
    };
  };
}
