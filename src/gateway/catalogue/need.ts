/** The capabilities that operations are sorted by. The scope's own list says which of them can be granted yet. */
export const NEEDS = [
  'read',
  'send',
  'react',
  'edit',
  'redact',
  'redact-others',
  'state',
  'join',
  'leave',
  'invite',
  'kick',
  'ban',
  'unban',
  'knock',
  'receipts',
  'typing',
  'markers',
  'media',
  'media-any',
  'upload',
  'profile',
  'presence',
  'directory',
  'notifications',
  'tags',
  'account-data',
  'push-rules',
  'plaintext',
] as const;

/** One of `NEEDS`. */
export type Need = (typeof NEEDS)[number];
