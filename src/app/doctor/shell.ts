import { dirname, relative } from 'node:path';
import type { Config } from '../../config/index.ts';
import { localpartOf } from '../../domain/ids.ts';

/** A word for a POSIX shell, as it is. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Before a command that needs the rights of a server administrator. */
export const AS_ADMIN = 'With the access token of a server administrator in $ADMIN_TOKEN:';

/**
 * A request to Synapse's admin API. The token goes to curl by its standard input: on no command line, where
 * others on the machine could see it.
 */
export function adminRequest(
  config: Config,
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): string {
  const url = shellQuote(config.homeserver.url + path);
  const data =
    body === undefined ? '' : ` -H 'Content-Type: application/json' -d ${shellQuote(JSON.stringify(body))}`;
  return `printf 'Authorization: Bearer %s' "$ADMIN_TOKEN" | curl -fsS -H @- -X ${method}${data} ${url}`;
}

/**
 * Brings a deactivated account back with the password in a file. Token and password go to curl by its
 * standard input, too.
 */
export function reactivateRequest(config: Config, path: string, passwordFile: string): string {
  const lines = String.raw`'header = "Authorization: Bearer %s"\ndata = "{\\"deactivated\\": false, \\"password\\": \\"%s\\"}"\n'`;
  const url = shellQuote(config.homeserver.url + path);
  return `printf ${lines} "$ADMIN_TOKEN" "$(cat ${shellQuote(passwordFile)})" | curl -fsS -K - -X PUT -H 'Content-Type: application/json' ${url}`;
}

/**
 * Sets up again what is there: logs in again what is logged out, lifts rate limits. Asks for an
 * administrator's token.
 */
export function initCommand(config: Config): string {
  const { host, port } = config.gateway.listen;
  const flags: [string, string][] = [
    ['homeserver', config.homeserver.url],
    ['public-url', config.gateway.public_url],
    ['listen', `${host.includes(':') ? `[${host}]` : host}:${String(port)}`],
    ['admins', config.admins.join(',')],
    ['bot', localpartOf(config.bot.user_id)],
    ['issuer', localpartOf(config.issuer.user_id)],
    ['dir', dirname(config.file)],
  ];
  return `mintwarden init ${flags.map(([name, value]) => `--${name} ${shellQuote(value)}`).join(' ')}`;
}

/** Runs a command of ours on this configuration. */
export function ownCommand(config: Config, words: string): string {
  return `mintwarden ${words} --config ${shellQuote(relative('', config.file) === 'bot.yaml' ? 'bot.yaml' : config.file)}`;
}
