import type { FileHead } from '../upstream/file-client.ts';

/** Types that browsers show and cannot run (spec 1.19, "Serving inline content"). */
const HARMLESS = new Set([
  'text/css',
  'text/plain',
  'text/csv',
  'application/json',
  'application/ld+json',
  'image/jpeg',
  'image/gif',
  'image/png',
  'image/apng',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mp4',
  'audio/webm',
  'audio/aac',
  'audio/mpeg',
  'audio/ogg',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/flac',
  'audio/x-flac',
]);
const UNKNOWN = 'application/octet-stream';
const MAX_NAME = 200;

/**
 * Never shown in the place of a page, never run, whatever a browser takes it for (spec 1.19, "Security
 * considerations" of media).
 */
const ALWAYS = [
  'Content-Security-Policy',
  "sandbox; default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options',
  'nosniff',
  'X-Frame-Options',
  'DENY',
  'Referrer-Policy',
  'no-referrer',
  'Cross-Origin-Resource-Policy',
  'cross-origin',
  'Cache-Control',
  'private, no-store',
] as const;

/**
 * The headers of a file, all made here. It is always an attachment but for thumbnails, which the
 * specification wants in place, and which are pictures or nothing.
 * @param name the name the holder gave it; null: the homeserver's
 */
export function fileHeaders(head: FileHead, thumbnail: boolean, name: string | null): readonly string[] {
  const type = harmless(head.type);
  const inline = thumbnail && type.startsWith('image/');
  const named = nameOf(name ?? uploadedName(head.disposition));
  const disposition = `${inline ? 'inline' : 'attachment'}${named === '' ? '' : `; filename*=UTF-8''${named}`}`;
  return ['Content-Type', type, 'Content-Disposition', disposition, ...ALWAYS];
}

/** The type without its parameters, if it is a harmless one. */
function harmless(type: string | null): string {
  const plain = (type ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return HARMLESS.has(plain) ? plain : UNKNOWN;
}

/** The name in a `Content-Disposition` (RFC 6266), in the forms that homeservers write. */
function uploadedName(disposition: string | null): string {
  const said = disposition ?? '';
  const extended = /;\s*filename\*=utf-8''([^;\s]{1,1024})/i.exec(said)?.[1];
  try {
    if (extended !== undefined) return decodeURIComponent(extended);
  } catch {
    return '';
  }
  return /;\s*filename="?([^";]{1,1024})"?/i.exec(said)?.[1] ?? '';
}

/**
 * As RFC 8187 encodes it; nothing that a file system or a person would read as something else than a name.
 */
function nameOf(text: string): string {
  const plain = text
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}/\\:*?"<>|]/gu, '_')
    .replace(/^[.\s]+/, '')
    .slice(0, MAX_NAME);
  return encodeURIComponent(plain.toWellFormed()).replaceAll(
    /['()*!]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
