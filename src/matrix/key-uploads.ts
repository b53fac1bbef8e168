import { MintwardenError } from '../domain/errors.ts';
import { HomeserverRefusal } from './homeserver-errors.ts';
import { isJsonObject, objectAt, path, stringAt, type HomeserverClient } from './homeserver.ts';

/**
 * The first keys need no interactive authentication at most homeservers (MSC3967); where they do, the
 * password serves.
 */
export async function uploadSigningKeys(
  homeserver: HomeserverClient,
  keys: object,
  userId: string,
  password: () => Promise<string | null>,
): Promise<void> {
  const uploadPath = path`/keys/device_signing/upload`;
  try {
    await homeserver.request('POST', uploadPath, { body: keys });
  } catch (error) {
    if (
      !(error instanceof HomeserverRefusal) ||
      error.status !== 401 ||
      !isJsonObject(error.body) ||
      !('flows' in error.body)
    )
      throw error;
    const secret = await password();
    if (secret === null) throw error;
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: userId },
      password: secret,
      session: stringAt(error.body, 'session'),
    };
    await homeserver.request('POST', uploadPath, { body: { ...keys, auth } });
  }
}

/** Uploads signatures. @throws MintwardenError `homeserver-refused` where the homeserver took only a part */
export async function uploadSignatures(homeserver: HomeserverClient, signatures: string): Promise<void> {
  const answer = await homeserver.request('POST', path`/keys/signatures/upload`, {
    body: JSON.parse(signatures),
  });
  if (Object.keys(objectAt(answer, 'failures')).length > 0) {
    throw new MintwardenError(
      'homeserver-refused',
      "The homeserver did not take the signature of the bot's device.",
    );
  }
}
