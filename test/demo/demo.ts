/* `npm run demo`: the whole story on a real Synapse. With `--once` it ends after it, otherwise it stays up. */
import { once } from 'node:events';
import { aside, failed, scene } from './screen.ts';
import { setTheStage } from '../harness/stage.ts';
import type { Stage } from '../harness/stage.ts';
import { playTheStory } from './story.ts';

if (Number(process.versions.node.split('.')[0]) !== 24) {
  console.error(`The demo runs on Node 24; this is ${process.version}. Run it as: npm run demo`);
  process.exit(2);
}

const words = process.argv.slice(2);
if (words.some((word) => word !== '--once')) {
  console.error('Usage: npm run demo [-- --once]');
  process.exit(2);
}

scene('Setting the stage (the first time, Synapse is installed: a minute or two)');
// From the first moment: nothing may be left running or lying about. A second signal ends it at once.
let interrupted = false;
const signal = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => {
  interrupted = true;
  aside('ending');
});
let played = false;
try {
  await using stage = await setTheStage({ synapse: { serverName: 'demo.local' }, onProgress: aside });
  if (!interrupted)
    played = await Promise.race([playTheStory(stage).then(() => true), signal.then(() => false)]);
  if (played) {
    console.log(failed() === 0 ? '\nEverything held.' : `\n${String(failed())} things did not hold.`);
    if (!words.includes('--once')) {
      explain(stage);
      await signal;
    }
  }
} catch (error) {
  if (!interrupted) throw error;
}
// Not `exitCode`: a story that was cut off may still wait for somebody.
process.exit(!played ? 130 : failed() === 0 ? 0 : 1);

function explain(stage: Stage): void {
  const { mintwarden, synapse, users } = stage;
  scene('Try it by hand');
  console.log(`  Log in with a Matrix client that does encryption, at ${synapse.baseUrl}, as an administrator:
    ${users.you.userId}   password ${users.you.password}
  Let it set up its recovery (commands count from cross-signed devices only), accept the invitation to the
  control room, and try:
    !help
    !mint @alice --rooms ${stage.ops} --read-only --ttl 1h
  The token comes in a chat that ${mintwarden.botUserId} opens with you: accept that invitation, too.
  As the person a token speaks for: ${users.alice.userId}   password ${users.alice.password}
  With a token, in place of mwt_…:
    curl -H 'Authorization: Bearer mwt_…' ${mintwarden.gatewayUrl}/_matrix/client/v3/joined_rooms
    curl -H 'Authorization: Bearer mwt_…' ${mintwarden.gatewayUrl}/_mintwarden/v1/token
  Log: ${mintwarden.logPath}
  Ctrl-C ends and removes everything.`);
}
