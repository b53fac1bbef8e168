import type { Random } from './random.ts';

const every = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

/** Ways to write a text in a path: as it belongs, and otherwise. */
const ODD: readonly ((text: string) => string)[] = [
  (text) => encodeURIComponent(encodeURIComponent(text)),
  every,
  (text) => every(text).toUpperCase(),
  (text) => `${encodeURIComponent(text)}%2F..`,
  (text) => `${encodeURIComponent(text)}/..`,
  (text) => `./${encodeURIComponent(text)}`,
  (text) => `${encodeURIComponent(text)}/../!nq6r%3Ahs.test`,
  (text) => `${encodeURIComponent(text)}%2f%2e%2e%2f!nq6r%3Ahs.test`,
  (text) => `%2e%2e/${encodeURIComponent(text)}`,
  (text) => `..;/${encodeURIComponent(text)}`,
  (text) => `${encodeURIComponent(text)}%00`,
  (text) => `${encodeURIComponent(text)};x=y`,
  (text) => `${encodeURIComponent(text)}%3Fuser_id=x`,
  (text) => `${encodeURIComponent(text)}%23`,
  (text) => `${encodeURIComponent(text)}%0d%0aX-A:%20b`,
  (text) => `${encodeURIComponent(text)}%c0%af`,
  (text) => `${encodeURIComponent(text)}%ff`,
  (text) => `${encodeURIComponent(text)}%`,
  (text) => `${encodeURIComponent(text)}\\..`,
  (text) => `${encodeURIComponent(text)}%20`,
  (text) => `%ef%bb%bf${encodeURIComponent(text)}`,
  (text) => encodeURIComponent(text.toUpperCase()),
  (text) => `${encodeURIComponent(text)}*`,
  (text) => encodeURIComponent(text.replace('hs.test', 'hs。test')),
  (text) => `/${encodeURIComponent(text)}`,
  (text) => `${encodeURIComponent(text)}\u00a0`,
  () => '',
  () => '..',
  () => '.',
  () => '**',
  () => '__proto__',
];

/** The text as a segment: mostly as clients write it. */
export function spelled(random: Random, text: string): string {
  if (random.chance(0.88)) return encodeURIComponent(text);
  return random.chance(0.3)
    ? encodeURI(text).replaceAll(/[?#/]/g, encodeURIComponent)
    : random.pick(ODD)(text);
}

/** Changes something of a whole target. */
export function bent(random: Random, target: string): string {
  return random.pick<(target: string) => string>([
    (text) => `http://hs.test${text}`,
    (text) => `//hs.test${text}`,
    (text) => `/x/..${text}`,
    (text) => text.replace('/_matrix', '/_Matrix'),
    (text) => text.replace('/_matrix/', '/_matrix//'),
    (text) => text.replace('/client/', '/client/./'),
    (text) => text.replace('/client/', '/client%2F'),
    (text) => text.replace('/v3/', '/v4/'),
    (text) => `${text}/`,
    (text) => `${text}X`,
    (text) => `${text}%3f`,
    (text) => `${text}#x`,
    (text) => text.replace('?', '??'),
    (text) => text.replace('/rooms/', '/%72ooms/'),
    (text) => text.replace('/_matrix/client/v3', '/_synapse/admin/v1'),
    (text) => text.replace('/_matrix/client/v3', '/_matrix/federation/v1'),
    (text) => `${text}${text.includes('?') ? '&' : '?'}access_token=syt_x`,
    (text) => `${text}${text.includes('?') ? '&' : '?'}user_id=@nq6u:hs.test`,
    () => '*',
  ])(target);
}
