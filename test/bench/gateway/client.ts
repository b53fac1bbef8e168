import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';

/** An answer that was read to its end. `at`: when its head came, on the clock that all processes share. */
export type Got = { readonly status: number; readonly bytes: number; readonly at: bigint };

/** Asks once as a holder does, on a connection of its own unless an agent is given. */
export async function read(url: string, token: string, agent: Agent = new Agent()): Promise<Got> {
  const asked = request(url, { agent, headers: { authorization: `Bearer ${token}` } }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const at = process.hrtime.bigint();
  let bytes = 0;
  response.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await once(response, 'end');
  return { status: response.statusCode ?? 0, bytes, at };
}
