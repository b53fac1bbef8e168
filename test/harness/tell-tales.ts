import { readFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import type { EncryptedClient } from './encrypted-client.ts';
import type { Mintwarden } from './mintwarden.ts';
import { findSecrets } from './secrets-grep.ts';
import type { SynapseAddress } from './synapse.ts';

/**
 * What access tokens look like: Mintwarden's, Synapse's, the Matrix Authentication Service's, old macaroons.
 */
const SHAPES: Readonly<Record<string, RegExp>> = {
  'a scoped token': /mwt_[0-9A-Z]{4,}_[0-9A-Za-z]{16,}/g,
  'a token of Synapse': /sy[rt]_[\w+/=-]+_[A-Za-z]{20}_\w{6}/g,
  'a token of the Matrix Authentication Service': /m(?:pt|at|ar|ct|cr)_[A-Za-z0-9]{30}_\w{6}/g,
  'a macaroon': /MDAx[\w+/=-]{40,}/g,
};
/** Shorter texts are words of any log: `ok`, `once`. */
const SHORTEST_TEXT = 12;
const SHORTEST_NAME = 3;

/** The kinds of tokens that stand in texts, whosever they are. */
export function tokenShapes(texts: readonly string[]): string[] {
  return Object.entries(SHAPES).flatMap(([name, shape]) =>
    texts.some((text) => text.search(shape) >= 0) ? [name] : [],
  );
}

/** Those of the words that stand in a text by themselves: not as a part of an id or of a longer word. */
export function wordsIn(text: string, words: Iterable<string>): string[] {
  return [...new Set(words)].filter((word) => {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      const before = text[at - 1] ?? ' ';
      const after = text[at + word.length] ?? ' ';
      if (!/[\w!$@#-]/.test(before) && !/[\w-]/.test(after)) return true;
    }
    return false;
  });
}

/**
 * Searches the log and the metrics of a service for all that a homeserver and its people have seen: every
 * access token the homeserver knows, every token that was delivered, and, unless they are the bot's own, room
 * names, topics and the texts of messages.
 * @returns what was found, by its kind and place; never itself
 */
export async function searchWhatWasSaid(stage: {
  synapse: Pick<SynapseAddress, 'databasePath'>;
  mintwarden: Pick<Mintwarden, 'botUserId' | 'logPath' | 'monitoringUrl' | 'pages'>;
  clients: readonly Pick<EncryptedClient, 'timeline'>[];
}): Promise<string[]> {
  const { synapse, mintwarden, clients } = stage;
  const live = await fetch(`${mintwarden.monitoringUrl}/metrics`, { signal: AbortSignal.timeout(2_000) })
    .then((answer) => answer.text())
    .catch(() => '');
  const log = await readFile(mintwarden.logPath, 'utf8').catch(() => '');
  const places: Record<string, string> = {
    'the log': log,
    'the metrics': [live, ...mintwarden.pages].join('\n'),
  };
  const { tokens, names, texts, rooms } = spoken(synapse.databasePath, mintwarden.botUserId);
  const heard = clients.flatMap((client) => rooms.flatMap((room) => client.timeline(room)));
  for (const { sender, content } of heard) {
    const body = typeof content['body'] === 'string' ? content['body'] : '';
    tokens.push(...(body.match(SHAPES['a scoped token'] ?? /$^/) ?? []));
    if (sender !== mintwarden.botUserId) texts.push(body);
  }
  const words = [
    ...names.filter((name) => name.length >= SHORTEST_NAME),
    ...texts.filter((text) => text.length >= SHORTEST_TEXT),
  ];
  const found = await findSecrets([...new Set(tokens)], { texts: places });
  return Object.entries(places).flatMap(([where, text]) => [
    ...tokenShapes([text]).map((shape) => `${shape} in ${where}`),
    ...found.filter((hit) => hit.where === where).map(({ form }) => `a token (${form}) in ${where}`),
    ...wordsIn(text, words).map(
      (word) => `a name or a text of ${String(word.length)} characters in ${where}`,
    ),
  ]);
}

type Spoken = { tokens: string[]; names: string[]; texts: string[]; rooms: string[] };

/** What a Synapse has in the clear. */
function spoken(databasePath: string, botUserId: string): Spoken {
  const database = new DatabaseSync(databasePath, { readOnly: true });
  const said: Spoken = { tokens: [], names: [], texts: [], rooms: [] };
  try {
    said.rooms = database
      .prepare('SELECT room_id FROM rooms')
      .all()
      .map((row) => String(row['room_id']));
    said.tokens = database
      .prepare('SELECT token FROM access_tokens')
      .all()
      .map((row) => String(row['token']));
    for (const row of database.prepare('SELECT json FROM event_json').all()) {
      const event = JSON.parse(String(row['json'])) as {
        type: string;
        sender: string;
        content: Record<string, unknown>;
      };
      if (event.sender === botUserId) continue;
      const { name, topic, body } = event.content;
      if (event.type === 'm.room.name') said.names.push(String(name));
      if (event.type === 'm.room.topic') said.texts.push(String(topic));
      if (event.type === 'm.room.message') said.texts.push(String(body));
    }
  } finally {
    database.close();
  }
  return said;
}
