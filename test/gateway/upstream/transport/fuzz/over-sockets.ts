import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { leanTransport } from '../../../../../src/gateway/upstream/transport/lean-transport.ts';
import { randomOf } from '../../../fuzz/random.ts';
import { rawHomeserver } from '../raw-homeserver.ts';
import { type Read, readIn } from '../read-in.ts';
import { ask, type Recorded } from '../recorder.ts';
import { makeAnswer } from './make-answer.ts';
import { type Finding, partsOf } from './finding.ts';

const LANES = 8;

export type SocketFigures = {
  readonly cases: number;
  /** Where the request behind it went by the same connection. */
  readonly kept: number;
  readonly findings: readonly Finding[];
};

/**
 * The whole lean client, by real sockets: a broken answer, and right behind it a request whose answer nobody
 * else has. That must be told as it is, or not at all, whatever the broken one left on the connection.
 */
export async function runOverSockets(seed: number, cases: number): Promise<SocketFigures> {
  const findings: Finding[] = [];
  let [done, kept] = [0, 0];
  const lane = async (first: number): Promise<void> => {
    await using server = await rawHomeserver();
    const transport = leanTransport(server.url);
    for (let index = first; index < cases && findings.length === 0; index += LANES) {
      const random = randomOf(seed * 1_000_003 + index);
      const { bytes, splits } = makeAnswer(random);
      const inMemory = readIn([bytes]);
      const closes = inMemory.outcome === 'waits' || random.chance(0.2);
      const nonce = `"${seed}-${index}"`;
      server.answer(async (socket, { text }) => {
        if (text.startsWith('PUT')) {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${nonce.length}\r\n\r\n${nonce}`);
          return;
        }
        for (const part of partsOf(bytes, splits)) {
          socket.write(part);
          if (random.chance(0.5)) await turn();
        }
        if (closes) socket.end();
      });
      const broken = await ask(transport).over;
      for (let turns = random.int(4); turns > 0; turns--) await turn();
      const next = await ask(transport, { method: 'PUT' }).over;
      done++;
      if (server.requests.length === 2 && server.requests[0]?.connection === server.requests[1]?.connection)
        kept++;
      const rule = brokenRule(broken, inMemory, next, nonce);
      if (rule !== null)
        findings.push({
          rule,
          seed,
          case: index,
          bytes: JSON.stringify(bytes.toString('latin1')),
          splits,
          lean: { broken, next },
          undici: null,
        });
      server.requests.length = 0;
    }
    await transport.close();
  };
  await Promise.all(Array.from({ length: LANES }, (_, first) => lane(first)));
  return { cases: done, kept, findings };
}

function brokenRule(broken: Recorded, inMemory: Read, next: Recorded, nonce: string): string | null {
  const ended = (recorded: Recorded): boolean => recorded.calls.at(-1) === 'end';
  if (ended(next) ? next.body !== nonce : next.calls.at(-1) !== 'error')
    return 'an answer is that of its request';
  // In parts it may have been whole before what is too much came.
  const whole = { status: broken.head?.status, body: broken.body };
  if (
    ended(broken) &&
    !isDeepStrictEqual(inMemory.outcome, whole) &&
    inMemory.why !== 'There are bytes after its end.'
  )
    return 'what comes by a socket is read as in memory';
  return null;
}
