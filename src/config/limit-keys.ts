import { z } from 'zod';
import { byteSize, duration } from './value-types.ts';

const MB = 1_048_576;

/** How often something may happen, as a number a second. */
const perSecond = (most: number) =>
  z.number('is no number').positive('is too small').max(most, 'is too large');
/** How many of something there may be. */
const count = (most: number) => z.int('is no whole number').min(1, 'is too small').max(most, 'is too large');

/** The keys of `gateway.limits`. Those that the homeserver has too are compared by `doctor`. */
export const limits = z
  .strictObject({
    writes_per_second: perSecond(1_000)
      .default(0.1)
      .meta({
        description:
          'How often a token may write what others see, on average. Keep it below the homeserver’s rc_message: what a token writes uses up its user’s own rate, and they could not write any more.',
        examples: [0.1],
      }),
    writes_at_once: count(10_000)
      .default(5)
      .meta({
        description:
          'How many such writes a token may make at once after a pause. Bots that ignore retry_after_ms (matrix-bot-sdk) fail beyond it.',
        examples: [5],
      }),
    personal_per_second: perSecond(1_000)
      .default(1)
      .meta({
        description:
          'The same for the user’s own data (typing, receipts, tags, account data), and for what makes the homeserver ask other servers.',
        examples: [1],
      }),
    personal_at_once: count(10_000)
      .default(20)
      .meta({
        description: 'How many such requests a token may make at once after a pause.',
        examples: [20],
      }),
    requests_per_second: perSecond(100_000)
      .default(50)
      .meta({
        description:
          'How many requests a token may make each second on average, whatever they are. It protects the homeserver and other holders.',
        examples: [50],
      }),
    requests_at_once: count(100_000)
      .default(200)
      .meta({
        description: 'How many requests a token may make at once after a pause.',
        examples: [200],
      }),
    open_requests: count(10_000)
      .default(64)
      .meta({
        description:
          'How many requests of one token may be open at the same time, long-polls included. It keeps one holder from taking the gateway’s memory and connections.',
        examples: [64],
      }),
    connections: count(1_000_000)
      .default(10_000)
      .meta({
        description: 'How many connections the gateway accepts in total. It protects the machine.',
        examples: [10_000],
      }),
    memory: byteSize(256 * MB, 1_024 * 1_024 * MB)
      .optional()
      .meta({
        description:
          'What the whole service may take of the machine’s memory. How large answers of the homeserver may be, and how many are read at a time, follows from it. By default what the system allows the service (a container, a systemd unit), or else 512M.',
        examples: ['512M'],
      }),
    long_poll: duration(1_000)
      .default(300_000)
      .meta({
        description:
          'How long a sync may wait at most. Make it shorter than your proxy waits for an answer, or the proxy ends waiting syncs with an error.',
        examples: ['5m'],
      }),
    body_size: byteSize(1_024, 16 * MB)
      .default(256 * 1_024)
      .meta({
        description: 'The largest body of a request, files aside. It is held in memory.',
        examples: ['256K'],
      }),
    upload_size: byteSize(1_024, 1_024 * 1_024 * MB)
      .default(50 * MB)
      .meta({
        description: 'The largest file that a token may upload. The homeserver has its own limit besides.',
        examples: ['50M'],
      }),
    download_size: byteSize(1_024, 1_024 * 1_024 * MB)
      .default(2_048 * MB)
      .meta({
        description: 'The largest file that is passed on to a holder.',
        examples: ['2G'],
      }),
  })
  .prefault({})
  .meta({ description: 'What one token, and all of them, may use at most.' });

/** The limits as configured: times in milliseconds, sizes in bytes. */
export type LimitsConfig = z.output<typeof limits>;
