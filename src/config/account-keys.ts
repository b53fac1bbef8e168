import { z } from 'zod';
import { file, userId } from './value-types.ts';

/** The keys of one of the two accounts. */
export function accountKeys(who: string, localpart: string, tokenUse: string) {
  return {
    user_id: userId().meta({
      description: `The user ID of ${who}.`,
      examples: [`@${localpart}:example.org`],
    }),
    access_token_file: file()
      .optional()
      .meta({
        description: `A file that contains only its access token. ${tokenUse}`,
        examples: [`secrets/${localpart}.token`],
      }),
    access_token: z
      .string()
      .min(1, 'is empty')
      .optional()
      .meta({
        description: 'The token itself, instead of a file. Better given in the environment.',
        examples: ['syt_…'],
      }),
    password_file: file()
      .optional()
      .meta({
        description:
          'A file that contains only its password. Needed when cross-signing keys are created, and to log in again where the homeserver ends sessions (session_lifetime).',
        examples: [`secrets/${localpart}.password`],
      }),
    password: z
      .string()
      .min(1, 'is empty')
      .optional()
      .meta({
        description: 'The password itself, instead of a file. Better given in the environment.',
        examples: ['…'],
      }),
  };
}
