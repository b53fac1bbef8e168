import { expect, test } from 'vitest';
import {
  mediaAddress,
  parseMediaAddress,
  segmentsOf,
  serverOfMedia,
} from '../../src/domain/media-address.ts';

test.each([
  'mxc://hs.test/abc',
  'mxc://hs.test:8448/A_b-9',
  'mxc://10.0.0.1/x',
  'mxc://[2001:db8::1]:8448/x',
  'mxc://localhost/x',
])('%s is an address', (text) => {
  const address = parseMediaAddress(text);
  expect(address).toBe(text);
  if (address === null) return;
  expect(decodeURIComponent(segmentsOf(address))).toBe(text.slice(6));
  expect(text.startsWith(`mxc://${serverOfMedia(address)}/`)).toBe(true);
});

test.each([
  'mxc://hs.test/',
  'mxc:///abc',
  'mxc://hs.test',
  'MXC://hs.test/abc',
  ' mxc://hs.test/abc',
  'mxc://hs.test/abc ',
  'mxc://hs.test/a/b',
  'mxc://hs.test/abc?x',
  'mxc://hs.test/abc#x',
  'mxc://hs.test/../x',
  'mxc://../x',
  'mxc://hs..test/x',
  'mxc://a@hs.test/x',
  'mxc://hs.test:/x',
  'mxc://hs.test:1:2/x',
  'mxc://hs.test/é',
  'mxc://hs.test/a%2Fb',
  'mxc://hs.test/a\nb',
  'https://hs.test/x',
])('%j is none', (text) => expect(parseMediaAddress(text)).toBeNull());

test('parts of a path that have a slash in them are none', () => {
  expect(mediaAddress('hs.test/x', 'y')).toBeNull();
  expect(mediaAddress('hs.test', 'x/y')).toBeNull();
});
