import type { IncomingMessage } from 'node:http';
import type { Access } from '../../lifecycle/access/access-control.ts';
import { type GatewayResponse, isResponse, INVALID_UPSTREAM_RESPONSE, ok } from '../http/response.ts';
import type { MemoryReservation } from '../limits/memory-budget.ts';
import { upstreamer } from '../upstream/ask.ts';
import type { JsonClient } from '../upstream/json-client.ts';
import type { FilterWorker } from '../filter-worker/filter-worker.ts';
import { rateLimited } from '../http/response.ts';
import { type Shower, showingsIn } from './references-in-answer.ts';
import { download } from './download.ts';
import { CREATE, type FileWanted, type Upload } from './requests.ts';
import { addressIn, upload, type UploadMeans } from './upload.ts';
import { allows } from '../../domain/scope.ts';

/** What is done with one request for files. */
export type MediaAction =
  | { readonly kind: 'fetch'; readonly wanted: FileWanted }
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'create' };

/** Everything about files. */
export interface Media {
  /** @param body is read by an upload alone */
  run(
    deed: MediaAction,
    access: Access,
    body: IncomingMessage,
    held: MemoryReservation,
    signal: AbortSignal,
  ): Promise<GatewayResponse>;
  /** Remembers the files in an answer that a holder is about to be shown, if they may fetch them. */
  showing(access: Access, shower: Shower, answer: GatewayResponse): void;
}

/** What it is made of. `looking`: asks with less patience for large answers, to find what shows a file. */
type Means = UploadMeans & { readonly looking: JsonClient; readonly large: FilterWorker };

/** Files, in both directions. */
export function createMedia(means: Means): Media {
  const { control, gate, pace, looking, large, upstreamTimeoutMs } = means;
  const asker = (access: Access, held: MemoryReservation, signal: AbortSignal) =>
    upstreamer({ forwarder: looking, large, control }, access.grant.id, held, signal);

  async function create(
    access: Access,
    held: MemoryReservation,
    signal: AbortSignal,
  ): Promise<GatewayResponse> {
    const waitMs = await pace.take(access.grant.id);
    if (waitMs > 0) return rateLimited(waitMs);
    const reply = await asker(access, held, signal)(CREATE, upstreamTimeoutMs, false);
    if (isResponse(reply)) return reply;
    const address = addressIn(reply.got);
    if (address === null) return INVALID_UPSTREAM_RESPONSE;
    gate.own.created(access.grant.id, address);
    return ok({ content_uri: address });
  }

  return {
    run(deed, access, body, held, signal) {
      if (deed.kind === 'fetch')
        return download(deed.wanted, access, means, asker(access, held, signal), held, signal);
      return deed.kind === 'upload'
        ? upload(deed.upload, access, means, body, held, signal)
        : create(access, held, signal);
    },
    showing(access, shower, answer) {
      if (answer.status !== 200 || !allows(access.grant.scope, 'media')) return;
      gate.showing(access, answer.showings ?? showingsIn(shower, answer.body));
    },
  };
}
