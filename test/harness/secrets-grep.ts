import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A secret found where it must not be. It is named by its place in the list, so that a report does not leak
 * it.
 */
export interface SecretHit {
  where: string;
  secretIndex: number;
  /** How it was written there. */
  form: string;
}

/**
 * Searches files, whole folders and texts for secrets: plain, in UTF-16, base64 (at any offset, both
 * alphabets), hex and percent-encoded; also for either half of the random part, since a database may
 * break a value over two pages. Missing paths are an error: a search of nothing finds nothing.
 */
export async function findSecrets(
  secrets: readonly string[],
  places: {
    /** Files and folders. A database's -wal and -shm are searched with it. */
    paths?: readonly string[];
    /** Anything else, such as a room's events, by name. What is no string is searched as JSON. */
    texts?: Readonly<Record<string, unknown>>;
  },
): Promise<SecretHit[]> {
  const needles = secrets.flatMap((secret, secretIndex) =>
    writings(secret).map((writing) => ({ ...writing, secretIndex })),
  );
  const search = (where: string, haystack: Buffer): SecretHit[] =>
    needles
      .filter(({ bytes }) => haystack.includes(bytes))
      .map(({ secretIndex, form }) => ({ where, secretIndex, form }));

  const hits: SecretHit[] = [];
  for (const path of places.paths ?? []) {
    for (const file of await filesAt(path)) hits.push(...search(file, await readFile(file)));
  }
  for (const [name, text] of Object.entries(places.texts ?? {})) {
    hits.push(...search(name, Buffer.from(typeof text === 'string' ? text : JSON.stringify(text))));
  }
  return hits;
}

interface Writing {
  form: string;
  bytes: Buffer;
}

/** Every way the secret may be written down. */
function writings(secret: string): Writing[] {
  const raw = Buffer.from(secret);
  const hex = raw.toString('hex');
  const percent = hex.replace(/../g, (pair) => `%${pair}`);
  const found: Writing[] = [
    { form: 'plain', bytes: raw },
    { form: 'UTF-16', bytes: Buffer.from(secret, 'utf16le') },
    { form: 'hex', bytes: Buffer.from(hex) },
    { form: 'hex', bytes: Buffer.from(hex.toUpperCase()) },
    { form: 'percent-encoded', bytes: Buffer.from(percent) },
    { form: 'percent-encoded', bytes: Buffer.from(percent.toUpperCase()) },
    { form: 'percent-encoded', bytes: Buffer.from(encodeURIComponent(secret)) },
  ];
  for (const offset of [0, 1, 2]) {
    // The characters at the ends also depend on the neighbours.
    const encoded = Buffer.concat([Buffer.alloc(offset), raw])
      .toString('base64')
      .replaceAll('=', '');
    const endsEven = (offset + raw.length) % 3 === 0;
    const certain = encoded.slice([0, 2, 3][offset], endsEven ? undefined : -1);
    found.push({ form: 'base64', bytes: Buffer.from(certain) });
    found.push({ form: 'base64', bytes: Buffer.from(certain.replaceAll('+', '-').replaceAll('/', '_')) });
  }
  const random = randomPart(secret);
  const middle = Math.floor(random.length / 2);
  if (middle >= 10) {
    found.push({ form: 'first half', bytes: Buffer.from(random.slice(0, middle)) });
    found.push({ form: 'second half', bytes: Buffer.from(random.slice(middle)) });
  }
  return found;
}

/**
 * Of a token in parts (`syt_<user>_<random>_<check>`, `mwt_<id>_<random>`) the random one: the others are no
 * secret.
 */
function randomPart(secret: string): string {
  const parts = secret.split('_');
  return /^[a-z]{3}$/.test(parts[0] ?? '') ? (parts[2] ?? secret) : secret;
}

async function filesAt(path: string): Promise<string[]> {
  const at = await lstat(path);
  if (at.isFile()) {
    const beside = await Promise.all(['-wal', '-shm', '-journal'].map((end) => isFile(path + end)));
    return [path, ...beside.filter((file) => file !== undefined)];
  }
  if (!at.isDirectory()) return [];
  const inside = await readdir(path, { recursive: true, withFileTypes: true });
  return inside.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function isFile(path: string): Promise<string | undefined> {
  return (await lstat(path).catch(() => undefined))?.isFile() === true ? path : undefined;
}
