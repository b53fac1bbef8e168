import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { leanTransport } from '../../src/gateway/upstream/transport/lean-transport.ts';
import type { Exchange, Transport } from '../../src/gateway/upstream/transport/transport.ts';
import { undiciTransport } from '../../src/gateway/upstream/transport/undici-transport.ts';

/**
 * `node test/bench/transport.ts`: this process's processor time per exchange, user and system, of both
 * transports in turn, before a homeserver in a process of its own. `BENCH_SECONDS` sets how long each is
 * measured.
 */
const CONCURRENT = 64;
const WARM_UP_MS = 10_000;
const MEASURED_MS = Number(process.env['BENCH_SECONDS'] ?? 10) * 1_000;
const ROUNDS = 3;

const child = fork(fileURLToPath(new URL('transport-homeserver-process.ts', import.meta.url)));
const [{ port }] = (await once(child, 'message')) as [{ port: number }];
const url = `http://127.0.0.1:${port}`;
const transports = { undici: undiciTransport(url), lean: leanTransport(url) };

for (const path of ['sized', 'chunked']) {
  for (const transport of Object.values(transports)) await run(transport, path, WARM_UP_MS);
  const figures: Record<string, number[]> = { undici: [], lean: [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, transport] of Object.entries(transports))
      figures[name]?.push(await run(transport, path, MEASURED_MS));
  const [undici, lean] = ['undici', 'lean'].map((name) => median(figures[name] ?? []));
  const ratio = ((undici ?? 0) / (lean ?? 1)).toFixed(2);
  console.log(
    `${path}: undici ${undici?.toFixed(1)} µs, lean ${lean?.toFixed(1)} µs an exchange: ${ratio} ×`,
  );
}
await Promise.all(Object.values(transports).map((transport) => transport.close()));
child.disconnect();

/** @returns microseconds of processor time an exchange */
function run(transport: Transport, path: string, ms: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const until = performance.now() + ms;
    const before = process.cpuUsage();
    let ended = 0;
    let open = 0;
    const exchange: Exchange = {
      method: 'GET',
      target: `/_matrix/client/v3/rooms/%21abcdefghijkl%3Aexample.org/messages?dir=b&limit=10&x=/${path}`,
      headers: [
        'accept',
        'application/json',
        'accept-encoding',
        'identity',
        'user-agent',
        'Mintwarden',
        'authorization',
        'Bearer syt_bWludHdhcmRlbg_abcdefghijklmnopqrst_0123456',
      ],
      body: null,
    };
    let bytes = 0;
    const next = (): void => {
      open++;
      transport.send(exchange, {
        onStart: () => {},
        onHead: () => {},
        onData: (chunk) => void (bytes += chunk.length),
        onEnd: () => {
          open--;
          ended++;
          if (performance.now() < until) next();
          else if (open === 0) {
            const { user, system } = process.cpuUsage(before);
            if (bytes === 0) reject(new Error('Nothing came.'));
            resolve((user + system) / ended);
          }
        },
        onError: reject,
      });
    };
    for (let count = 0; count < CONCURRENT; count++) next();
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
