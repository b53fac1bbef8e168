import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import * as byName from '@matrix-org/matrix-sdk-crypto-nodejs';
import { expect, it } from 'vitest';
import * as byPath from '../../../src/matrix/engine/index.ts';
import * as fromElsewhere from './same-instance.ts';

const root = createRequire(import.meta.url);
/** As matrix-bot-sdk requires it: from inside its own folder. */
const sdk = createRequire(root.resolve('matrix-bot-sdk'));

it('is one instance, however it is reached under vitest', () => {
  const required = sdk('@matrix-org/matrix-sdk-crypto-nodejs') as typeof byName;
  for (const other of [byName, byPath, fromElsewhere.engine]) {
    expect(required.OlmMachine).toBe(other.OlmMachine);
    expect(required.configureEngine).toBe(other.configureEngine);
    expect(required.EngineError).toBe(other.EngineError);
    expect(required.UserId).toBe(other.UserId);
  }
});

it('is one instance, however it is reached under plain node', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [root.resolve('./same-instance.ts')]);
  expect(JSON.parse(stdout)).toEqual({ isSame: true });
});

it('is what matrix-bot-sdk gets for a store that was configured here', async () => {
  // Proven in sdk.test.ts with the whole client; here only that the sdk loads without the native library.
  const loaded = sdk('./index.js') as { MatrixClient: unknown };
  expect(loaded.MatrixClient).toBeTypeOf('function');
  expect(byName.getVersions().vodozemac).toMatch(/^\d+\.\d+/);
});
