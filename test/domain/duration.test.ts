import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration, speakDuration } from '../../src/domain/duration.ts';
import { MintwardenError } from '../../src/domain/errors.ts';

const seconds = fc.integer({ min: 1, max: 10 * 365 * 86_400 });

describe('durations', () => {
  it('come back as they were said, for every whole number of seconds', () => {
    fc.assert(
      fc.property(seconds, (count) => parseDuration(formatDuration(count * 1_000)) === count * 1_000),
    );
  });

  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['30m1h', 5_400_000],
    ['2D', 172_800_000],
    ['1w', 604_800_000],
    ['2 hours', 7_200_000],
    ['1 day 1 sec', 86_401_000],
    ['0h5m', 300_000],
    ['007m', 420_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    '',
    ' ',
    '5',
    '0s',
    '0h0m',
    '-1h',
    '+1h',
    '1.5h',
    '1h1h',
    '1m1min',
    '1y',
    '1',
    'h',
    '1h!',
    '1h-5m',
    '١h',
    '1e3s',
    '9999999999s',
    '1h5',
    'inf',
    '0x1s',
  ])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('either reads a text as a positive whole number or refuses it as usage, whatever it is', () => {
    const pieces = fc.array(
      fc.constantFrom('1', '23', '999999999', '9999999999', 'h', 'm', 'w', 'weeks', ' ', '-', '.', 'x'),
      {
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          pieces.map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            const ms = parseDuration(text);
            return Number.isSafeInteger(ms) && ms > 0;
          } catch (error) {
            return error instanceof MintwardenError && error.code === 'usage';
          }
        },
      ),
    );
  });

  it('are never said longer than they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 1e12 }), (ms) => {
        const said = parseDuration(formatDuration(ms));
        return said <= ms && ms - said < 1_000;
      }),
    );
  });

  it.each([
    [0, 'less than a second'],
    [999, 'less than a second'],
    [1_000, '1 second'],
    [61_000, '1 minute 1 second'],
    [3_600_000, '1 hour'],
    [5_400_000, '1 hour 30 minutes'],
    [5_399_999, '1 hour 30 minutes'],
    [3_599_999, '1 hour'],
    [86_399_999, '1 day'],
    [604_799_999, '1 week'],
    [2 * 604_800_000 + 86_400_000, '2 weeks 1 day'],
  ])('%d ms are spoken as %s', (ms, words) => {
    expect(speakDuration(ms)).toBe(words);
  });

  it('are spoken in at most two units, within half of the smaller', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 1e12 }), (ms) => {
        const words = speakDuration(ms);
        expect(words.split(' ').length).toBeOneOf([2, 4]);
        expect(words).not.toMatch(/\b0 /);
        expect(Math.abs(parseDuration(words) - ms) / ms).toBeLessThan(0.1);
      }),
    );
  });
});
