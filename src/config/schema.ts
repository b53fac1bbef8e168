import { z } from 'zod';
import { parseNetwork } from '../domain/network.ts';
import { accountKeys } from './account-keys.ts';
import { limits } from './limit-keys.ts';
import { preset } from './preset-keys.ts';
import { commandSyntax, duration, file, roomId, userId } from './value-types.ts';

const MINUTE_MS = 60_000;
const ADDRESS_AND_PORT = /^(\[[0-9A-Fa-f:.]+\]|[^:\s[\]]+):\d{1,5}$/;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/**
 * The configuration file, as written. Every key stands here with what is said of it in the example, in
 * the editor and in errors. Nothing else is a key.
 */
export const fileSchema = z.strictObject({
  homeserver: z
    .strictObject({
      url: z.url({ protocol: /^https?$/, error: 'is no http or https address' }).meta({
        description: 'Synapse’s address, as seen from this machine. Its admin API must be reachable.',
        examples: ['http://127.0.0.1:8008'],
      }),
      server_name: z
        .string()
        .regex(/^[A-Za-z0-9.\-[\]:]+$/, 'is no server name')
        .meta({ description: 'The part of its user IDs after the colon.', examples: ['example.org'] }),
    })
    .meta({ description: 'The homeserver.' }),
  bot: z
    .strictObject(
      accountKeys(
        'the account that chats; not a server administrator',
        'mintwarden',
        'Its session has the encryption keys.',
      ),
    )
    .meta({ description: 'The account that chats.' }),
  issuer: z
    .strictObject({
      kind: z
        .literal('synapse', 'is no kind of issuer')
        .meta({ description: 'How tokens are created.', examples: ['synapse'] }),
      ...accountKeys(
        'the account that makes tokens; a server administrator that never chats',
        'mintwarden-issuer',
        'Anyone who holds it owns the homeserver.',
      ),
    })
    .meta({ description: 'The account that makes tokens.' }),
  control_room: roomId().meta({
    description: 'The encrypted room in which commands are given.',
    examples: ['!abcdefghijklmnop:example.org'],
  }),
  admins: z
    .array(userId())
    .min(1, 'is empty')
    .meta({ description: 'Who may give commands in the control room.', examples: [['@you:example.org']] }),
  gateway: z
    .strictObject({
      listen: z
        .string()
        .regex(ADDRESS_AND_PORT, 'is no address and port')
        .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'has a port above 65535')
        .default('127.0.0.1:8009')
        .meta({
          description: 'The address the gateway listens on: plain HTTP, for your TLS proxy.',
          examples: ['127.0.0.1:8009'],
        }),
      public_url: z.url({ protocol: /^https?$/, error: 'is no http or https address' }).meta({
        description: 'The address at which holders reach the gateway: https, unless on this machine.',
        examples: ['https://tokens.example.org'],
      }),
      processes: z
        .int('is no whole number')
        .min(0, 'is too small')
        .max(16, 'is too large')
        .default(0)
        .meta({
          description:
            'The number of separate gateway processes, sharing one port. 0: it runs in the bot’s process.',
          examples: [2],
        }),
      trusted_proxies: z
        .array(commandSyntax(parseNetwork))
        .default([])
        .meta({
          description:
            'Your TLS proxy, as an address or a network: its X-Forwarded-For says where requests come from. Needed for --from.',
          examples: [['127.0.0.1']],
        }),
      transport: z
        .enum(['auto', 'undici'], 'is no transport')
        .default('auto')
        .meta({
          description:
            'The HTTP client for requests to the homeserver. auto: a lean one of our own if homeserver.url is http and no proxy applies, otherwise undici. undici: always undici.',
          examples: ['auto'],
        }),
      filter: z
        .enum(['auto', 'tree'], 'is no filter')
        .default('auto')
        .meta({
          description:
            'How answers of the homeserver are filtered. auto: sync and lists of a room’s events over their bytes, everything else over parsed JSON. tree: everything over parsed JSON, which is slower and takes more memory.',
          examples: ['auto'],
        }),
      limits,
    })
    .meta({
      description: 'The gateway in front of the homeserver: the only place where scoped tokens work.',
    }),
  state_dir: file()
    .default('state')
    .meta({ description: 'The folder with the ledger and the encryption keys.', examples: ['state'] }),
  sealing_key_file: file()
    .default('secrets/sealing.key')
    .meta({
      description:
        'The key that encrypts secrets in the ledger; created at the first start. Back it up apart from the state.',
      examples: ['secrets/sealing.key'],
    }),
  policy: z
    .strictObject({
      default_ttl: duration(1_000)
        .default(60 * MINUTE_MS)
        .meta({ description: 'How long a token lives without --ttl.', examples: ['1h'] }),
      max_ttl: duration(MINUTE_MS)
        .default(7 * 24 * 60 * MINUTE_MS)
        .meta({ description: 'The longest lifetime that --ttl may ask for.', examples: ['7d'] }),
      privileged_subjects: z
        .array(userId())
        .default([])
        .meta({
          description: 'Server administrators and admins of Mintwarden for whom tokens may be made anyway.',
          examples: [['@test-admin:example.org']],
        }),
      protected_subjects: z
        .array(userId())
        .default([])
        .meta({ description: 'Users for whom no token may ever be made.', examples: [['@ceo:example.org']] }),
      reason_required: z
        .boolean()
        .default(false)
        .meta({
          description: 'Refuse a !mint without --reason. The subject reads the reason.',
          examples: [true],
        }),
      deliver_within: duration(1_000)
        .default(15 * MINUTE_MS)
        .meta({ description: 'A token that was not delivered ends after this time.', examples: ['15m'] }),
      redact_after: duration(1_000)
        .default(10 * MINUTE_MS)
        .meta({ description: 'The message with the token is redacted after this time.', examples: ['10m'] }),
      lease: duration(MINUTE_MS)
        .default(360 * MINUTE_MS)
        .meta({
          description:
            'The longest lifetime of a homeserver token behind ours. Whatever a crash leaves behind dies within this time.',
          examples: ['6h'],
        }),
      command_max_age: duration(1_000)
        .default(5 * MINUTE_MS)
        .meta({ description: 'Commands older than this are refused.', examples: ['5m'] }),
      max_live_grants: z
        .int('is no whole number')
        .min(1, 'is too small')
        .default(1_000)
        .meta({ description: 'How many grants may be live at once.', examples: [1000] }),
      max_live_grants_per_subject: z
        .int('is no whole number')
        .min(1, 'is too small')
        .default(20)
        .meta({ description: 'How many grants may be live at once for one subject.', examples: [20] }),
      presets: z
        .record(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'is no name for a preset'), preset)
        .default({})
        .meta({
          description: 'More presets for --preset, or replacements for built-in ones (!help presets).',
        }),
    })
    .prefault({})
    .meta({ description: 'What may be minted.' }),
  monitoring: z
    .strictObject({
      listen: z
        .string()
        .regex(ADDRESS_AND_PORT, 'is no address and port')
        .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'has a port above 65535')
        .optional()
        .meta({
          description:
            'The address that answers /health, /ready and /metrics, to anyone who can reach it. None unless set.',
          examples: ['127.0.0.1:9464'],
        }),
      hosts: z
        .array(z.string().regex(HOST_NAME, 'is no host name'))
        .default([])
        .meta({
          description:
            'Names by which monitoring asks there. IP addresses, the machine’s own name, names without a dot and private ones (.internal, .local, .svc …) need not be listed; any other Host is refused, so that no web page can read it through a browser.',
          examples: [['mint-1.example.org']],
        }),
    })
    .prefault({})
    .meta({
      description: 'What monitoring can ask. It reveals no person, room or token.',
    }),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'], 'is no level')
        .default('info')
        .meta({ description: 'How much is logged: debug, info, warn or error.', examples: ['info'] }),
      format: z
        .enum(['json', 'text'], 'is no format')
        .default('json')
        .meta({ description: 'json for machines, text for people.', examples: ['json'] }),
    })
    .prefault({})
    .meta({ description: 'The log. It never contains a token or anything a person wrote.' }),
});

/** The file's content, checked and with the defaults filled in. */
export type FileContent = z.output<typeof fileSchema>;
