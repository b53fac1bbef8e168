/** Run as a process of its own: opens the store in the folder given and prints how that went. */
import {
  configureEngine,
  DeviceId,
  EngineError,
  OlmMachine,
  UserId,
} from '@matrix-org/matrix-sdk-crypto-nodejs';

const [, , folder = ''] = process.argv;
configureEngine(folder, { storeKey: new Uint8Array(32).fill(7) });
try {
  await OlmMachine.initialize(new UserId('@bot:test'), new DeviceId('BOT'), folder);
  console.log(JSON.stringify({ opened: true }));
} catch (error) {
  console.log(JSON.stringify({ code: error instanceof EngineError ? error.code : String(error) }));
}
