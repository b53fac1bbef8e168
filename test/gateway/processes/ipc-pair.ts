import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type SharedRevision,
  sharedRevisionReader,
  createSharedRevision,
} from '../../../src/gateway/processes/shared-revision.ts';
import { type IpcClient, createIpcClient } from '../../../src/gateway/processes/ipc-client.ts';
import type { IpcCall, FromChild, ToChild } from '../../../src/gateway/processes/messages.ts';
import {
  createIpcServer,
  type IpcServer,
  type IpcServerOptions,
} from '../../../src/gateway/processes/ipc-server.ts';
import { requestPool, slotPool } from '../../../src/gateway/processes/limit-pools.ts';
import { createRemoteAccess, type RemoteAccess } from '../../../src/gateway/processes/remote-access.ts';
import { silentLog } from '../../support/silent-log.ts';

/** Both ends of a pipe in one process: what passes is JSON, in its order, a turn of the event loop later. */
export type Pair = Disposable & {
  readonly server: IpcServer;
  readonly revision: SharedRevision;
  readonly client: IpcClient;
  readonly access: RemoteAccess;
  /** Everything that was asked. */
  readonly asked: IpcCall[];
  /** From now on nothing arrives at the child, until `flow`. */
  hold(): void;
  flow(): void;
  /** The child is no more. */
  leave(): void;
};

export function pair(
  services: Omit<IpcServerOptions, 'revision' | 'log' | 'now' | 'pools' | 'rateLimiters'> &
    Partial<Pick<IpcServerOptions, 'rateLimiters'>>,
  now: () => number,
): Pair {
  const folder = mkdtempSync(join(tmpdir(), 'mintwarden-revision-'));
  const revision = createSharedRevision(folder);
  const pools = { slots: slotPool(64), requests: requestPool(50, 200, now) };
  const rateLimiters = { writes: { take: () => 0 }, personal: { take: () => 0 } };
  const server = createIpcServer({ rateLimiters, pools, ...services, revision, now, log: silentLog });
  const asked: IpcCall[] = [];
  let held: string[] | null = null;
  let gone = false;
  const arrive = (text: string): void => {
    if (gone) return;
    const update = client.receive(JSON.parse(text) as ToChild);
    if (update !== null) access.applyUpdate(update);
  };
  const connection = server.connect((message) => {
    const text = JSON.stringify(message);
    setImmediate(() => (held === null ? arrive(text) : held.push(text)));
  });
  const client = createIpcClient(
    (message: FromChild) => {
      const text = JSON.stringify(message);
      setImmediate(() => {
        const sent = JSON.parse(text) as FromChild;
        if (sent.type !== 'call') return;
        asked.push(sent.call);
        void connection.handle(sent.id, sent.call);
      });
    },
    server.revision,
    sharedRevisionReader(revision.fd),
  );
  const access = createRemoteAccess(client, now);
  return {
    server,
    revision,
    client,
    access,
    asked,
    hold: () => void (held ??= []),
    flow() {
      const waiting = held ?? [];
      held = null;
      for (const text of waiting) arrive(text);
    },
    leave() {
      gone = true;
      connection.close();
    },
    [Symbol.dispose]() {
      client.close();
      server.close();
      revision.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
