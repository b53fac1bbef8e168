import type { IncomingMessage } from 'node:http';
import type { MediaReference } from '../../domain/media-reference.ts';
import { allows } from '../../domain/scope.ts';
import type { Access } from '../../lifecycle/access/access-control.ts';
import {
  type GatewayResponse,
  INVALID_UPSTREAM_RESPONSE,
  isResponse,
  ok,
  rateLimited,
} from '../http/response.ts';
import { createAsk, type OnBehalf, SMALL_ANSWER_BYTES } from '../upstream/ask.ts';
import { download } from './download.ts';
import type { MediaServices } from './media-services.ts';
import { CREATE, type FileWanted, type Upload } from './requests.ts';
import { addressIn, upload } from './upload.ts';

/** What one request wants of files. */
export type MediaAction =
  | { readonly kind: 'fetch'; readonly wanted: FileWanted }
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'create' };

/** Files, in both directions. */
export interface Media {
  /**
   * @param body is read by an upload alone
   * @throws the reason of `onBehalf.signal` when it is aborted
   */
  run(
    action: MediaAction,
    access: Access,
    body: IncomingMessage,
    onBehalf: OnBehalf,
  ): Promise<GatewayResponse>;
  /** Remembers the files that a holder is about to be shown, if they may fetch any. */
  remember(access: Access, references: () => readonly MediaReference[]): void;
}

/** @returns the media of one gateway */
export function createMedia(services: MediaServices): Media {
  const { gate, rateLimiter, upstreamTimeoutMs } = services;

  async function create(access: Access, onBehalf: OnBehalf): Promise<GatewayResponse> {
    const waitMs = await rateLimiter.take(access.grant.id);
    if (waitMs > 0) return rateLimited(waitMs);
    const ask = createAsk(services, onBehalf, SMALL_ANSWER_BYTES);
    const created = await ask(CREATE, upstreamTimeoutMs, false);
    if (isResponse(created)) return created;
    const address = addressIn(created.got);
    if (address === null) return INVALID_UPSTREAM_RESPONSE;
    gate.uploads.created(access.grant.id, address);
    return ok({ content_uri: address });
  }

  return {
    run(action, access, body, onBehalf) {
      if (action.kind === 'fetch') return download(action.wanted, access, services, onBehalf);
      return action.kind === 'upload'
        ? upload(action.upload, access, services, body, onBehalf)
        : create(access, onBehalf);
    },
    remember(access, references) {
      if (allows(access.grant.scope, 'media')) gate.remember(access, references());
    },
  };
}
