import { createServer } from 'node:http';
import { announce } from './announce.ts';
import { ANSWERS, SYNC_PATH } from './answers.ts';

// Parses and writes the large `/sync` whenever it is asked, and says how long that took.
const bytes = Buffer.from(ANSWERS[SYNC_PATH]?.() ?? '');

process.on('message', () => {
  const begun = performance.now();
  const written = Buffer.from(JSON.stringify(JSON.parse(bytes.toString())));
  process.send?.({ ms: performance.now() - begun, bytes: written.length });
});
announce(createServer());
