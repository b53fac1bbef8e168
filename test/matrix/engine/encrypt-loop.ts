/**
 * Run as a process of its own, to be killed: encrypts without end, each event on a line of its own. What it
 * prints is what could have been sent.
 */
import { writeSync } from 'node:fs';
import { KeyServer } from './key-server.ts';
import { Person } from './person.ts';

const [, , folder = ''] = process.argv;
const bot = await Person.arrives(new KeyServer(), '@bot:test', 'BOT', { folder });
if (!(await bot.machine.crossSigningStatus()).hasMaster) await bot.makesIdentity();
for (;;) {
  await bot.shares(['@bot:test']); // as matrix-bot-sdk does before each message
  writeSync(1, `${await bot.says('tick')}\n`);
}
