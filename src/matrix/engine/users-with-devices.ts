import { UserId, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';

/**
 * Those of `users` who have a device we know besides this one. The engine waits five seconds for the key
 * query of any other, which never comes: matrix-bot-sdk asks for keys before it shares, or (when it learns
 * of a member) not at all while it holds up the sync.
 */
export async function usersWithDevices(machine: OlmMachine, users: readonly UserId[]): Promise<UserId[]> {
  const ownUser = machine.userId.toString();
  const ownDevice = machine.deviceId.toString();
  const known: UserId[] = [];
  for (const user of users) {
    const userId = user.toString();
    const devices = (await machine.getUserDevices(new UserId(userId), 0)).keys().map(String);
    if (devices.some((device) => userId !== ownUser || device !== ownDevice)) known.push(new UserId(userId));
  }
  return known;
}
