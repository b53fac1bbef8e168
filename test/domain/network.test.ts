import { describe, expect, it } from 'vitest';
import { minimalNetworks, networkHolds, parseNetwork, intersectNetworks } from '../../src/domain/network.ts';

describe('a network', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['192.0.2.7', '192.0.2.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::/0', '::/0'],
  ])('%s is spelled %s', (text, spelled) => expect(parseNetwork(text)).toBe(spelled));

  it.each([
    '',
    'all',
    'example.org',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.1/8',
    '10.1',
    '0x0a.0.0.1',
    '010.0.0.1',
    '167772161',
    'fe80::1%eth0',
    '::/129',
    '::ffff:10.0.0.0/104',
    '2001:db8::1/32',
    ' 10.0.0.0/8',
  ])('%j is none: what has two readings is refused', (text) =>
    expect(() => parseNetwork(text)).toThrow(expect.objectContaining({ code: 'usage' })),
  );

  it.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:a01:203', true],
    ['::/0', '::ffff:10.1.2.3', false],
    ['::/0', '10.1.2.3', false],
    ['0.0.0.0/0', '::1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['0.0.0.0/0', 'nonsense', false],
    ['0.0.0.0/0', '010.0.0.1', false],
    ['0.0.0.0/0', '', false],
    ['::/0', 'fe80::1%eth0', false],
  ])('%s holds %j: %s', (network, address, holds) => expect(networkHolds(network, address)).toBe(holds));

  it('of two, the smaller is what they share', () => {
    expect(
      intersectNetworks(['10.0.0.0/8', '::/0'], ['10.1.0.0/16', '192.0.2.7/32', '2001:db8::/32']),
    ).toEqual(['10.1.0.0/16', '2001:db8::/32']);
    expect(minimalNetworks(['10.1.0.0/16', '10.0.0.0/8', '10.0.0.0/8'])).toEqual(['10.0.0.0/8']);
  });
});
