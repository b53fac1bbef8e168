import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSealer } from '../../../src/store/seal/index.ts';

const old = { id: 'old', key: randomBytes(32) };
const fresh = { id: 'new', key: randomBytes(32) };
const sealer = createSealer({ keys: [fresh], randomBytes });
const refused = expect.objectContaining({ name: 'MintwardenError', code: 'state' });
const refuses = (run: () => unknown) => expect(run).toThrow(refused);

describe('a sealed secret', () => {
  it('opens on its row, whatever it and the row are', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, (row, secret) => sealer.open(row, sealer.seal(row, secret)) === secret),
    );
  });

  it('opens on no other row', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (row, other) => {
        fc.pre(row !== other);
        refuses(() => sealer.open(other, sealer.seal(row, 'secret')));
      }),
    );
  });

  it('does not open when any one character of it is another', () => {
    const sealed = sealer.seal('lease:a', 'syt_secret');
    for (let at = 0; at < sealed.length; at++) {
      for (const other of ['A', 'Q', '.', 'v', '_']) {
        const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
        // The last character of base64url can carry bits that are no part of the bytes.
        const sameBytes = Buffer.from(changed.split('.')[3] ?? '', 'base64url').equals(
          Buffer.from(sealed.split('.')[3] ?? '', 'base64url'),
        );
        if (changed === sealed || (at === sealed.length - 1 && sameBytes)) continue;
        refuses(() => sealer.open('lease:a', changed));
      }
    }
  });

  it('does not open cut short, empty, prolonged or with a shortened tag', () => {
    const sealed = sealer.seal('lease:a', 'syt_secret');
    for (let length = 0; length < sealed.length - 1; length++)
      refuses(() => sealer.open('lease:a', sealed.slice(0, length)));
    refuses(() => sealer.open('lease:a', `${sealed}.AAAA`));
    refuses(() => sealer.open('lease:a', `${sealed}AAAA`));
  });

  it('shows nothing of itself, in the seal or in an error', () => {
    const sealed = sealer.seal('lease:a', 'syt_very_secret');
    expect(sealed).toMatch(/^v1\.new\.[\w-]{16}\.[\w-]+$/);
    expect(Buffer.from(sealed.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain('secret');
    try {
      sealer.open('lease:b', sealed);
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(sealed.split('.')[3]);
    }
  });

  it('is another each time, so that equal secrets do not show', () => {
    const seals = Array.from({ length: 100 }, () => sealer.seal('row', 'same'));
    expect(new Set(seals.map((sealed) => sealed.split('.')[2])).size).toBe(100);
  });
});

describe('keys', () => {
  it('change: the first seals, earlier ones open', () => {
    const before = createSealer({ keys: [old], randomBytes });
    const after = createSealer({ keys: [fresh, old], randomBytes });
    expect(after.open('row', before.seal('row', 'secret'))).toBe('secret');
    expect(sealer.open('row', after.seal('row', 'secret'))).toBe('secret');
    refuses(() => before.open('row', after.seal('row', 'secret')));
  });

  it('of the same name but other bytes do not open', () => {
    const impostor = createSealer({ keys: [{ id: 'new', key: randomBytes(32) }], randomBytes });
    refuses(() => impostor.open('row', sealer.seal('row', 'secret')));
  });

  it('must be there, whole and told apart', () => {
    const create = (...keys: { id: string; key: Uint8Array }[]) => createSealer({ keys, randomBytes });
    refuses(() => create());
    refuses(() => create({ id: 'a', key: randomBytes(31) }));
    refuses(() => create({ id: 'a', key: randomBytes(0) }));
    refuses(() => create({ id: 'a.b', key: randomBytes(32) }));
    refuses(() => create(old, { ...fresh, id: 'old' }));
  });
});
