import { media, multiStep } from './tasks.ts';
import { mediaConfig } from '../filters/account.ts';
import { isResponse } from '../http/response.ts';
import { previewSteps } from '../media/preview.ts';
import { downloadOf, mayFetch, mayUpload, thumbnailOf, uploadOf } from '../media/requests.ts';
import type { Endpoint, TaskEndpoint } from '../request/endpoint.ts';
import type { Call } from '../http/call.ts';
import { unserved } from './refused.ts';

const A = '/_matrix/client/v1/media';
const MSC3916 = '/_matrix/client/unstable/org.matrix.msc3916/media';
const M = '/_matrix/media';
const FILE = '{serverName}/{mediaId}';
const LEGACY = 'Unauthenticated and frozen; use the authenticated paths.';
const BYTES =
  'the streamed bytes; the gateway sets the headers: a content type from a short list, attachment, sandbox';

type Fetching = Pick<TaskEndpoint, 'id' | 'formOf' | 'why'> & {
  readonly below: string;
  readonly asked?: string;
  readonly read?: typeof downloadOf;
};

/** A file that is shown in scope; with `media-any` every file. */
function fetching({
  below,
  asked = 'server and ID rebuilt, `timeout_ms`; redirects are neither followed nor passed on',
  read = downloadOf,
  ...rest
}: Fetching): Endpoint {
  return {
    ...rest,
    kind: 'task',
    does: 'media',
    untimed: true,
    methods: ['GET'],
    paths: [`${A}/${below}`],
    aliases: [`${MSC3916}/${below}`],
    needs: 'media',
    opens:
      'files that events in scope show, except what the subject sent since the grant was made; own uploads; with `media-any` all',
    authorize: mayFetch,
    plan: media((call) => {
      const wanted = read(call);
      return isResponse(wanted) ? wanted : { kind: 'fetch', wanted };
    }, 'Only a file that events in scope show, which is looked at first.'),
    asked,
    shown: BYTES,
  };
}

/** A file that is uploaded, in one step or in two. */
function uploading({
  paths,
  ...rest
}: Pick<TaskEndpoint, 'id' | 'methods' | 'why' | 'opens' | 'plan' | 'shown' | 'asked' | 'untimed'> & {
  readonly paths: readonly [string, ...string[]];
}): Endpoint {
  const [path, ...aliases] = paths;
  return {
    ...rest,
    kind: 'task',
    does: 'media',
    paths: [path],
    aliases,
    needs: 'upload',
    authorize: mayUpload,
  };
}

const sending = (...conditions: readonly string[]) =>
  media(
    (call: Call) => {
      const upload = uploadOf(call);
      return isResponse(upload) ? upload : { kind: 'upload', upload };
    },
    ...conditions,
  );

/** Media. An address alone opens nothing. */
export const MEDIA: readonly Endpoint[] = [
  {
    id: 'getConfigAuthed',
    also: ['getConfig'],
    kind: 'forward',
    methods: ['GET'],
    paths: [`${A}/config`, `${M}/v3/config`],
    aliases: [`${M}/r0/config`, `${M}/v1/config`, `${MSC3916}/config`],
    needs: 'holder',
    to: '/_matrix/client/v1/media/config',
    filter: () => mediaConfig,
    shown: 'the upload limit',
    why: 'One number, the same for everyone.',
  },
  fetching({
    id: 'getContentAuthed',
    below: `download/${FILE}`,
    why: 'Otherwise a holder who learns or posts an address could open any file.',
  }),
  fetching({
    id: 'getContentOverrideNameAuthed',
    formOf: 'getContentAuthed',
    below: `download/${FILE}/{fileName}`,
    why: 'As above; the file name is the holder’s choice.',
  }),
  fetching({
    id: 'getContentThumbnailAuthed',
    below: `thumbnail/${FILE}`,
    read: thumbnailOf,
    asked: '`width` and `height` up to 2048, `method`, `animated`, `timeout_ms`',
    why: 'As for the file itself.',
  }),
  {
    id: 'getUrlPreviewAuthed',
    kind: 'task',
    does: 'multiStep',
    methods: ['GET'],
    paths: [`${A}/preview_url`],
    aliases: [`${MSC3916}/preview_url`],
    needs: 'media-any',
    plan: multiStep(previewSteps),
    asked: '`url` (http or https, with a host name), `ts`; rate-limited',
    shown: 'Open Graph texts and numbers',
    why: 'Makes the homeserver request any URL; it must itself know which ones are internal.',
  },
  uploading({
    id: 'uploadContent',
    methods: ['POST'],
    paths: [`${M}/v3/upload`, `${M}/r0/upload`, `${M}/v1/upload`],
    opens: 'none',
    plan: sending(),
    untimed: true,
    asked: 'the streamed bytes, with their length and a plain content type; the file name is dropped',
    shown: 'the new address',
    why: 'Stores files on the homeserver in the subject’s name.',
  }),
  uploading({
    id: 'uploadContentToMXC',
    methods: ['PUT'],
    paths: [`${M}/v3/upload/${FILE}`],
    opens: 'an address that this grant created, once',
    plan: sending('Only to an address that this token created, and once.'),
    untimed: true,
    asked: 'as above',
    shown: 'nothing',
    why: 'The second half of an upload. Which grant created an address is forgotten at a restart.',
  }),
  uploading({
    id: 'createContent',
    methods: ['POST'],
    paths: [`${M}/v1/create`],
    opens: 'none',
    plan: media(() => ({ kind: 'create' })),
    asked: 'nothing of the request',
    shown: 'the new address',
    why: 'The first half of an upload.',
  }),
  unserved('getContent', 'GET', `${M}/v3/download/${FILE}`, LEGACY),
  unserved('getContentOverrideName', 'GET', `${M}/v3/download/${FILE}/{fileName}`, LEGACY),
  unserved('getContentThumbnail', 'GET', `${M}/v3/thumbnail/${FILE}`, LEGACY),
  unserved('getUrlPreview', 'GET', `${M}/v3/preview_url`, LEGACY),
  unserved('legacyMediaFamily', 'any', [`${M}/**`], LEGACY, { source: 'family' }),
];
