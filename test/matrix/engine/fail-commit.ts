/** Run as a process of its own: encrypts while the disk refuses, with nobody to catch the failure. */
import { DatabaseSync } from 'node:sqlite';
import { KeyServer } from './key-server.ts';
import { Person } from './person.ts';

const [, , folder = ''] = process.argv;
const bot = await Person.arrives(new KeyServer(), '@bot:test', 'BOT', { folder });
await bot.makesIdentity();
await bot.shares(['@bot:test']);
DatabaseSync.prototype.exec = function (sql: string): void {
  if (sql === 'COMMIT') throw new Error('database or disk is full');
};
console.log('encrypting');
console.log(await bot.says('must never leave'));
