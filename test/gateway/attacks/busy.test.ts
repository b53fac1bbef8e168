import { describe, expect, test } from 'vitest';
import type { Allowance } from '../../../src/domain/allowance.ts';
import { introspection } from '../../../src/gateway/introspection.ts';
import { grantOf, OPS } from '../support/grants.ts';

// What one holder can ask for cheaply must not keep the gateway's one thread from the others.

describe('a holder of many capabilities', () => {
  test('is told of them without the others waiting', () => {
    const many = Array.from({ length: 100 }, (_, at): Allowance => `state:org.example.t${at}:@u${at}:hs.test`);
    const types = ['org.example.*'];
    const grant = grantOf([OPS], { scope: { v: 1, rooms: [OPS], can: ['read', ...many], types } });
    const ask = (): number => {
      const begun = performance.now();
      const { endpoints } = introspection({ grant, rooms: new Set([OPS]) }, '', null, Date.now());
      expect(endpoints.map(({ operation }) => operation)).toContain('setRoomStateWithKey');
      return performance.now() - begun;
    };
    // All types with all keys took seconds.
    expect(ask()).toBeLessThan(500);
    expect(ask()).toBeLessThan(10);
  });
});
