/** Imported by a test; run as a process of its own it prints whether all ways lead to one engine. */
import { createRequire } from 'node:module';
import * as engine from '@matrix-org/matrix-sdk-crypto-nodejs';

export { engine };

if (process.argv[1] === import.meta.filename) {
  const root = createRequire(import.meta.url);
  const sdk = createRequire(root.resolve('matrix-bot-sdk'));
  const required = sdk('@matrix-org/matrix-sdk-crypto-nodejs') as typeof engine;
  const byPath = await import('../../../src/matrix/engine/index.ts');
  const isSame = required.OlmMachine === engine.OlmMachine && byPath.OlmMachine === engine.OlmMachine;
  console.log(JSON.stringify({ isSame }));
}
