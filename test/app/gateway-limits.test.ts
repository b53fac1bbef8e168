import { expect, test } from 'vitest';
import { gatewayLimits } from '../../src/app/gateway-limits.ts';
import { limits } from '../../src/config/limit-keys.ts';

const DEFAULTS = limits.parse(undefined);

test.each(Object.keys(limits.unwrap().shape) as (keyof typeof DEFAULTS)[])(
  'gateway.limits.%s does something',
  (key) => {
    const given = (changed: Partial<typeof DEFAULTS>) =>
      gatewayLimits({ limits: { ...DEFAULTS, ...changed }, processes: 0 } as Parameters<
        typeof gatewayLimits
      >[0]);
    const other = (DEFAULTS[key] ?? 512 * 1_048_576) * 2;
    expect(given({ [key]: other })).not.toEqual(given({}));
  },
);
