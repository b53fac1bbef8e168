import { relative } from 'node:path';

/** What `init` found out, to be written down. */
export type Answers = {
  readonly homeserverUrl: string;
  readonly serverName: string;
  readonly bot: { readonly userId: string; readonly tokenFile: string; readonly passwordFile: string };
  readonly issuer: { readonly userId: string; readonly tokenFile: string; readonly passwordFile: string };
  readonly controlRoom: string;
  readonly admins: readonly string[];
  readonly listen: string;
  readonly publicUrl: string;
};

/** The configuration file's content as data; paths relative to its folder. */
export function configContent(answers: Answers, folder: string): object {
  const account = ({ userId, tokenFile, passwordFile }: Answers['bot']) => ({
    user_id: userId,
    access_token_file: relative(folder, tokenFile),
    password_file: relative(folder, passwordFile),
  });
  return {
    homeserver: { url: answers.homeserverUrl, server_name: answers.serverName },
    bot: account(answers.bot),
    issuer: { kind: 'synapse', ...account(answers.issuer) },
    control_room: answers.controlRoom,
    admins: answers.admins,
    gateway: { listen: answers.listen, public_url: answers.publicUrl },
  };
}
