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
await bot.shares(['@bot:test']);
for (;;) writeSync(1, `${await bot.says('tick')}\n`);
