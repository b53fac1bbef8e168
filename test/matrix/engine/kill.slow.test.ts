import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { megolmMessageIndex } from '../../../src/matrix/engine/encryption-info.ts';
import { KeyServer } from './key-server.ts';
import { newFolder, Person, removeFolders } from './person.ts';

afterAll(removeFolders);

const ROUNDS = 8;

interface Encrypted {
  content: { session_id: string; ciphertext: string };
}

/** Lets the loop encrypt some events, then kills it in the midst. Resolves to all that it put out. */
async function runUntilKilled(folder: string, events: number, delayMs: number): Promise<Encrypted[]> {
  const loop = spawn(
    process.execPath,
    [fileURLToPath(new URL('./encrypt-loop.ts', import.meta.url)), folder],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(loop, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: loop.stdout })) {
    lines.push(line);
    if (lines.length === events) setTimeout(() => loop.kill('SIGKILL'), delayMs);
  }
  expect(await exited).toEqual([null, 'SIGKILL']);
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Encrypted);
}

it('uses no message key twice, however often it is killed, and opens again', async () => {
  const folder = newFolder();
  const used: string[] = [];
  const sessions: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const events = await runUntilKilled(folder, 5, round * 0.7);
    sessions.push(...new Set(events.map(({ content }) => content.session_id)));
    used.push(
      ...events.map(({ content }) => `${content.session_id} ${megolmMessageIndex(content.ciphertext)}`),
    );
  }
  expect(used.length).toBeGreaterThanOrEqual(ROUNDS * 5);
  expect(new Set(used).size).toBe(used.length);
  // It would prove nothing if every start had made a session of its own.
  expect(new Set(sessions).size).toBeLessThan(ROUNDS / 2);

  const bot = await Person.arrives(new KeyServer(), '@bot:test', 'BOT', { folder });
  expect((await bot.machine.crossSigningStatus()).hasMaster).toBe(true);
  await bot.machine.close();
}, 60_000);
