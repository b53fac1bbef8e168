import { mediaConfig } from '../filters/account.ts';
import type { Line } from './line.ts';
import { later, unserved } from './refusals.ts';

const A = '/_matrix/client/v1/media';
const MSC3916 = '/_matrix/client/unstable/org.matrix.msc3916/media';
const M = '/_matrix/media';
const FILE = '{serverName}/{mediaId}';
const LEGACY = 'Open to everyone without a token, and frozen: what is served goes by the authenticated paths.';
const shownHere = {
  room: 'media that events in scope show, not sent through this grant',
  asked: 'server and id written anew, always without remote redirects',
  shown: 'the bytes, with a content type of a short list and as an attachment',
};
const written = { room: 'none', asked: 'type and length; the name is dropped', shown: 'the new address' };

/** Media. Until it is known which events show what, an address alone opens nothing. */
export const MEDIA: readonly Line[] = [
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
    shown: 'how large an upload may be',
    why: 'One number, the same for everybody.',
  },
  later('media', 'getContentAuthed', 'GET', `${A}/download/${FILE}`, shownHere, 'Otherwise a holder who learns an address, or posts one, could open any file.', {
    aliases: [`${MSC3916}/download/${FILE}`],
  }),
  later('media', 'getContentOverrideNameAuthed', 'GET', `${A}/download/${FILE}/{fileName}`, shownHere, 'As above; the name is the holder’s.', {
    aliases: [`${MSC3916}/download/${FILE}/{fileName}`],
  }),
  later('media', 'getContentThumbnailAuthed', 'GET', `${A}/thumbnail/${FILE}`, { ...shownHere, asked: 'width, height, method, animated' }, 'As the file itself.', {
    aliases: [`${MSC3916}/thumbnail/${FILE}`],
  }),
  later('media-any', 'getUrlPreviewAuthed', 'GET', `${A}/preview_url`, { room: 'none', asked: 'the address', shown: 'the preview' },
    'Has the homeserver call any address on the subject’s behalf.', { aliases: [`${MSC3916}/preview_url`] }),
  later('upload', 'uploadContent', 'POST', `${M}/v3/upload`, written, 'Puts files on the homeserver in the subject’s name.', { aliases: [`${M}/r0/upload`, `${M}/v1/upload`] }),
  later('upload', 'uploadContentToMXC', 'PUT', `${M}/v3/upload/${FILE}`, { ...written, room: 'an address this grant made' }, 'The second half of an upload.'),
  later('upload', 'createContent', 'POST', `${M}/v1/create`, written, 'The first half of an upload.'),
  unserved('getContent', 'GET', `${M}/v3/download/${FILE}`, LEGACY),
  unserved('getContentOverrideName', 'GET', `${M}/v3/download/${FILE}/{fileName}`, LEGACY),
  unserved('getContentThumbnail', 'GET', `${M}/v3/thumbnail/${FILE}`, LEGACY),
  unserved('getUrlPreview', 'GET', `${M}/v3/preview_url`, LEGACY),
  unserved('legacyMediaFamily', 'any', [`${M}/**`], LEGACY, { source: 'family' }),
]; // prettier-ignore
