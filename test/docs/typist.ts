import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command, takeDelivery, takeNotice, textOf } from '../harness/control-room.ts';
import { HarnessError } from '../harness/harness-error.ts';
import type { Stage } from '../harness/stage.ts';
import { type Block, blocksOf, expectations, says } from './blocks.ts';
import type { Running } from './sandbox.ts';
import type { World } from './world.ts';
import { until } from '../support/wait.ts';

/** What else happens while a block runs, by a text that is in it. */
export type Meanwhile = Readonly<Record<string, (running: Running, typist: Typist) => Promise<void>>>;

/** Types what pages say. */
export interface Typist extends AsyncDisposable {
  /** All of a page, from top to bottom. Throws `HarnessError` with the page, the line and what came of it. */
  page(page: string, meanwhile?: Meanwhile): Promise<void>;
  /** A command at the machine. */
  exec(line: string): Promise<string>;
  /** A line in the control room; what the bot answers. */
  says(line: string): Promise<string>;
  /** What the helpers of the harness want, with you as olivia. Only what they use of it is there. */
  stage(): Promise<Stage>;
  /** Ends all that is live. */
  cleanSlate(): Promise<void>;
}

const MINTED = /Grant ([0-9A-Z]{6,10}) is live/;
const REFUSED = /^<p><strong>[^<]*<\/strong><\/p>/;
const READY_WITHIN_MS = 30_000;

/** A typist in a world. */
export function createTypist(world: World): Typist {
  const { sandbox, you, alice } = world;
  const background: Running[] = [];
  let grant = '';
  let token = '';
  let stage: Stage | null = null;
  let cwd = sandbox.home;

  const real = (text: string): string => world.real(grant === '' ? text : text.replaceAll('7F3K9Q', grant));

  /** What the helpers of the harness want to know; you are in the control room from then on. */
  const inControlRoom = async (): Promise<Stage> => {
    if (stage !== null) return stage;
    const controlRoomId = await world.controlRoom();
    stage = {
      mintwarden: { controlRoomId, botUserId: '@mintwarden:example.org' },
      olivia: you,
      alice,
      ops: world.ops,
    } as unknown as Stage;
    await you.waitForInvite(({ roomId }) => roomId === controlRoomId);
    await you.join(controlRoomId);
    await you.waitForMember(controlRoomId, stage.mintwarden.botUserId);
    return stage;
  };

  const remember = (text: string): void => {
    const made = MINTED.exec(text)?.[1];
    if (made === undefined) return;
    grant = made;
    token = '';
  };

  const check = (text: string, expected: readonly string[], what: string): void => {
    const missing = expected.filter((said) => !says(text, real(said)));
    if (missing.length > 0)
      throw new HarnessError(`${what} did not say “${missing.map(real).join('”, “')}”, but:\n${text}`);
  };

  const chat = async (block: Block): Promise<void> => {
    for (const part of block.text.split(/^(?=!)/m)) {
      const line = real(part.split('\n')[0] ?? '');
      const expected = expectations(part);
      const reply = block.about === 'dm' ? await inDm(line) : await command(await inControlRoom(), line);
      const text = textOf(reply);
      remember(text);
      check(text, expected, line);
      const html = String(reply.content['formatted_body']).replace(/^<mx-reply>.*<\/mx-reply>/s, '');
      if (expected.length === 0 && REFUSED.test(html)) throw new HarnessError(`${line} was refused: ${text}`);
    }
  };

  const dm = async (): Promise<string> => (await takeNotice(await inControlRoom(), alice, grant)).roomId;
  const inDm = async (line: string) => alice.waitForReply(await alice.say(await dm(), line));

  const notice = async (block: Block): Promise<void> => {
    const text = textOf(await takeNotice(await inControlRoom(), alice, grant));
    check(
      text,
      block.text.split('\n').filter((line) => line.trim() !== ''),
      'The notice',
    );
  };

  /** The token of the newest grant, which is in your chat with the bot. */
  const take = async (): Promise<string> => {
    if (token === '') {
      ({ token } = await takeDelivery(await inControlRoom(), you, grant));
      // The page says once how it is saved.
      if (await stat(join(cwd, 'token.txt')).catch(() => null))
        await writeFile(join(cwd, 'token.txt'), `${token}\n`);
    }
    return token;
  };

  const shell = async (block: Block, meanwhile: Meanwhile): Promise<void> => {
    const reads = block.text.includes('read -rs');
    const wants = reads || /\.(mjs|py)\b/.test(block.text);
    const input = wants ? `${await take()}\n` : '';
    const running = sandbox.run(real(block.text), reads ? input : '');
    if (/ start --config \S+$/.test(block.text.trim())) {
      background.push(running);
      await ready(world.gatewayUrl, running);
      return;
    }
    const also = Object.entries(meanwhile).find(([text]) => block.text.includes(text))?.[1];
    await Promise.all([also?.(running, typist), running.ended]);
    const { status, output } = await running.ended;
    remember(output);
    if (status !== 0) throw new HarnessError(`It ended with ${String(status)}:\n${output}`);
    check(output, expectations(block.text), 'It');
  };

  const type = async (block: Block, meanwhile: Meanwhile): Promise<void> => {
    if (block.notRun !== null) return;
    if (block.language === 'sh') await shell(block, meanwhile);
    if (block.language === 'chat') await chat(block);
    if (block.about === 'notice') await notice(block);
    if (['js', 'python'].includes(block.language)) await writeFile(join(cwd, block.about), real(block.text));
  };

  const exec = async (line: string, input = ''): Promise<string> => {
    const { status, output } = await sandbox.run(
      `mintwarden exec ${line} --config ~/mintwarden/bot.yaml`,
      input,
    ).ended;
    if (status !== 0) throw new HarnessError(`exec ${line}: ${output}`);
    return output;
  };

  const typist: Typist = {
    page: async (page, meanwhile = {}) => {
      cwd = await sandbox.enter(page);
      for (const block of blocksOf(page)) {
        try {
          await type(block, meanwhile);
        } catch (error) {
          throw new HarnessError(
            `${page}:${String(block.line)}: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
      }
    },
    exec: (line) => exec(real(line)),
    stage: inControlRoom,
    says: async (line) => {
      const text = textOf(await command(await inControlRoom(), real(line)));
      remember(text);
      return text;
    },
    cleanSlate: async () => {
      const { grants } = JSON.parse(await exec('list --json')) as { grants: { id: string }[] };
      if (grants.length > 0) await exec('', grants.map(({ id }) => `revoke ${id}\n`).join(''));
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(background.map((running) => running.stop()));
    },
  };
  return typist;
}

async function ready(url: string, running: Running): Promise<void> {
  let over = '';
  void running.ended.then(({ output }) => (over = output));
  const isReady = async (): Promise<boolean> => {
    if (over !== '') throw new HarnessError(`It ended at once:\n${over}`);
    return (await fetch(`${url}/health`).catch(() => null))?.ok === true;
  };
  await until(isReady, READY_WITHIN_MS, 50);
}
