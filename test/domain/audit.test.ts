import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AuditEvent,
  type AuditRow,
  canonicalJson,
  chained,
  chainFault,
  CHAIN_START,
} from '../../src/domain/audit.ts';
import { ADMIN, ALICE, sampleAudit } from '../contract/sample.ts';

const event: fc.Arbitrary<AuditEvent> = fc.record({
  at: fc.integer({ min: 0, max: 4e12 }),
  actor: fc.constantFrom(ADMIN, ALICE, 'system' as const, 'holder' as const, 'operator:root' as const),
  action: fc.constantFrom('minted' as const, 'revoked' as const, 'expired' as const),
  grantId: fc.constantFrom(null, 'AAAAA1' as never),
  subject: fc.constantFrom(null, ALICE),
  command: fc.constantFrom(null, '$a' as never),
  data: fc.dictionary(
    fc.string(),
    fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.array(fc.string())),
    {
      noNullPrototype: true,
    },
  ),
});
const events = fc.array(event, { minLength: 1, maxLength: 8 });

function chain(list: readonly AuditEvent[]): AuditRow[] {
  const rows: AuditRow[] = [];
  for (const one of list) rows.push(chained(one, rows.length + 1, rows.at(-1)?.hash ?? CHAIN_START));
  return rows;
}
const headOf = (rows: readonly AuditRow[]) => ({ seq: rows.length, hash: rows.at(-1)?.hash ?? CHAIN_START });

describe('the audit chain', () => {
  it('holds, with and without a known head, and after a trip through JSON', () => {
    fc.assert(
      fc.property(events, (list) => {
        const rows = chain(list);
        expect(chainFault(rows)).toBeNull();
        expect(chainFault(rows, headOf(rows))).toBeNull();
        expect(chainFault(JSON.parse(JSON.stringify(rows)), headOf(rows))).toBeNull();
      }),
    );
    expect(chainFault([])).toBeNull();
    expect(chainFault([], { seq: 0, hash: CHAIN_START })).toBeNull();
  });

  it('shows any change of any field, at its row', () => {
    fc.assert(
      fc.property(events, fc.nat(), (list, pick) => {
        const rows = chain(list);
        const at = pick % rows.length;
        const row = rows[at]!;
        const changes: Partial<AuditRow>[] = [
          { at: row.at + 1 },
          { actor: 'operator:somebody' },
          { action: 'noticed' },
          { grantId: 'BBBBB2' as never },
          { subject: '@eve:x' as never },
          { command: '$b' as never },
          { data: { ...row.data, extra: 1 } },
          { hash: 'f'.repeat(64) },
          { previous: 'f'.repeat(64) },
        ];
        for (const change of changes)
          expect(chainFault(rows.with(at, { ...row, ...change }))).toMatchObject({ seq: at + 1 });
      }),
    );
  });

  it('shows a row removed, doubled, moved or put between; cut-off ends by the known head', () => {
    fc.assert(
      fc.property(events, fc.nat(), (list, pick) => {
        const rows = chain(list);
        const at = pick % rows.length;
        const head = headOf(rows);
        expect(chainFault(rows.toSpliced(at, 1), head)).toMatchObject({ seq: at + 1 });
        expect(chainFault(rows.toSpliced(at, 0, rows[at]!), head)).not.toBeNull();
        expect(chainFault(rows.slice(0, at), head)).toMatchObject({ seq: at + 1 });
        if (rows.length > 1) expect(chainFault(rows.toReversed(), head)).not.toBeNull();
        const forged = chained(sampleAudit(), at + 1, rows[at - 1]?.hash ?? CHAIN_START);
        expect(chainFault(rows.with(at, forged), head)).not.toBeNull();
      }),
    );
  });

  it('is well with rows newer than the known head, and not with another history before it', () => {
    const rows = chain([sampleAudit(), sampleAudit({ at: 2 }), sampleAudit({ at: 3 })]);
    expect(chainFault(rows, headOf(rows.slice(0, 2)))).toBeNull();
    const other = chain([sampleAudit({ at: 9 }), sampleAudit({ at: 2 }), sampleAudit({ at: 3 })]);
    expect(chainFault(other, headOf(rows.slice(0, 2)))).toMatchObject({ seq: 2 });
  });

  it('covers the place of a row: the same event elsewhere has another hash', () => {
    expect(chained(sampleAudit(), 1, CHAIN_START).hash).not.toBe(chained(sampleAudit(), 2, CHAIN_START).hash);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of keys, and says the same as JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(canonicalJson({ b: 1, a: { d: [1, 'x', null], c: undefined } })).toBe(
      '{"a":{"d":[1,"x",null]},"b":1}',
    );
    expect(canonicalJson({ a: 1, b: 2 })).toBe(canonicalJson({ b: 2, a: 1 }));
  });
});
