import { serverOf } from '../domain/ids.ts';
import type { Problem } from './explain-issue.ts';
import type { FileContent } from './schema.ts';

/** What is wrong between keys that are each right by themselves. */
export function crossCheck(content: FileContent): readonly Problem[] {
  const problems: Problem[] = [];
  const say = (path: readonly PropertyKey[], rest: string): void =>
    void problems.push({ path, sentence: `${path.map(String).join('.')} ${rest}` });
  const { homeserver, bot, issuer, policy, gateway } = content;

  for (const [name, account] of [
    ['bot', bot],
    ['issuer', issuer],
  ] as const) {
    if (serverOf(account.user_id) !== homeserver.server_name) {
      say(
        [name, 'user_id'],
        `is ${account.user_id}, which is not on ${homeserver.server_name}: the account must be on this homeserver.`,
      );
    }
    if (account.access_token === undefined && account.access_token_file === undefined) {
      say([name, 'access_token_file'], `is missing. Write for example: secrets/${name}.token`);
    }
    for (const secret of ['access_token', 'password'] as const) {
      if (account[secret] !== undefined && account[`${secret}_file`] !== undefined) {
        say([name, secret], `and ${name}.${secret}_file are both set: keep one.`);
      }
    }
    if (content.admins.includes(account.user_id))
      say(['admins'], `has ${account.user_id} in it, which is Mintwarden's own account.`);
    if (policy.privileged_subjects.includes(account.user_id)) {
      say(
        ['policy', 'privileged_subjects'],
        `has ${account.user_id} in it: tokens are never made for Mintwarden's own accounts.`,
      );
    }
  }
  if (bot.user_id === issuer.user_id) {
    say(
      ['issuer', 'user_id'],
      'is the same as bot.user_id. They must be two accounts: the one that chats must be no administrator.',
    );
  }
  for (const user of policy.privileged_subjects) {
    if (policy.protected_subjects.includes(user))
      say(['policy', 'protected_subjects'], `and policy.privileged_subjects both have ${user} in them.`);
  }
  if (policy.default_ttl > policy.max_ttl) say(['policy', 'default_ttl'], 'is longer than policy.max_ttl.');

  const url = new URL(gateway.public_url);
  if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
    say(
      ['gateway', 'public_url'],
      `is ${url.origin}: tokens may only travel by https, unless to this machine itself. Write for example: https://${url.host}`,
    );
  }
  if (
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    say(['gateway', 'public_url'], `must be an address alone. Write for example: ${url.origin}`);
  }
  const everywhere = gateway.trusted_proxies.find((network) => network.endsWith('/0'));
  if (everywhere !== undefined) {
    say(
      ['gateway', 'trusted_proxies'],
      `has ${everywhere} in it: then everybody says themselves where they come from. Name your proxy alone.`,
    );
  }
  const home = new URL(homeserver.url);
  if (home.search !== '' || home.hash !== '' || home.username !== '' || home.password !== '') {
    say(['homeserver', 'url'], `must be an address alone. Write for example: ${home.origin}`);
  }
  return problems;
}

/** Whether a URL's host is this machine itself. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    /^127(\.\d{1,3}){3}$/.test(hostname) ||
    hostname === '[::1]'
  );
}
