/* `npm run picture`: has the conversation of the README's picture on a real Synapse, as the README sets it up, and draws it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTypist } from '../docs/typist.ts';
import { makeWorld } from '../docs/world.ts';
import { haveTheConversation } from './picture/conversation.ts';
import { conversationSvg } from './picture/svg.ts';

const DOCS = join(import.meta.dirname, '../../docs');

await using world = await makeWorld();
await using typist = createTypist(world);
await typist.page('README.md');
const conversation = await haveTheConversation(await typist.stage());
await writeFile(join(DOCS, 'conversation.json'), `${JSON.stringify(conversation, null, 2)}\n`);
await writeFile(join(DOCS, 'conversation.svg'), conversationSvg(conversation));
console.log('Drawn: docs/conversation.svg');
