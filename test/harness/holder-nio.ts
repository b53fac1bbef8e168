import { join } from 'node:path';
import type { Held, HolderClient } from './holder-client.ts';
import { startJsonLinesProcess } from './json-lines-process.ts';
import { ensurePythonEnv } from './python-env.ts';

/** Matrix-nio, in a process of its own (`nio_holder.py`). */
export async function nioHolder({ baseUrl, token, userId }: Held): Promise<HolderClient> {
  const { python } = await ensurePythonEnv();
  let over: string | null = null;
  const child = startJsonLinesProcess({
    name: 'matrix-nio',
    command: python,
    args: ['-B', join(import.meta.dirname, 'nio_holder.py')],
    onEvent: (_, data) => (over = String(data)),
  });
  const call = async <T>(method: string, params?: unknown) => (await child.call(method, params)) as T;
  await call('open', { baseUrl, token, userId });
  return {
    name: 'matrix-nio',
    start: () => call('start'),
    rooms: () => call('rooms'),
    join: (roomId) => call('join', { roomId }),
    nameOf: (roomId) => call('name_of', { roomId }),
    members: (roomId) => call('members', { roomId }),
    heard: (roomId) => call('heard', { roomId }),
    history: (roomId) => call('history', { roomId }),
    say: (roomId, text) => call('say', { roomId, text }),
    reply: (roomId, eventId, text) => call('reply', { roomId, eventId, text }),
    react: (roomId, eventId, key) => call('react', { roomId, eventId, key }),
    edit: (roomId, eventId, text) => call('edit', { roomId, eventId, text }),
    redact: (roomId, eventId) => call('redact', { roomId, eventId }),
    upload: (bytes, type) => call('upload', { encoded: Buffer.from(bytes).toString('base64'), type }),
    download: async (mxc) => new Uint8Array(Buffer.from(await call<string>('download', { mxc }), 'base64')),
    typing: (roomId) => call('typing', { roomId }),
    markRead: (roomId, eventId) => call('mark_read', { roomId, eventId }),
    ended: async () => over,
    [Symbol.asyncDispose]: child.end,
  };
}
