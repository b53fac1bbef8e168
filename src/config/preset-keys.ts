import { z } from 'zod';
import { parsePermission, parseTypePattern } from '../domain/permission.ts';
import { parseEndpoint } from '../domain/endpoint-rule.ts';
import { parseNetwork } from '../domain/network.ts';
import { commandSyntax } from './value-types.ts';

/** The keys of a preset. */
export const preset = z.strictObject({
  explanation: z
    .string()
    .min(1, 'is empty')
    .max(200, 'is too long')
    .meta({ description: 'What it is for; shown by !help presets.' }),
  can: z
    .array(commandSyntax(parsePermission))
    .min(1, 'is empty')
    .meta({ description: 'What it can do, as in --can.' }),
  types: z
    .array(commandSyntax(parseTypePattern))
    .min(1, 'is empty')
    .optional()
    .meta({ description: 'As in --types.' }),
  power: z.int('is no whole number').optional().meta({ description: 'As in --power.' }),
  allow: z
    .array(commandSyntax(parseEndpoint))
    .min(1, 'is empty')
    .optional()
    .meta({ description: 'As in --allow.' }),
  deny: z
    .array(commandSyntax(parseEndpoint))
    .min(1, 'is empty')
    .optional()
    .meta({ description: 'As in --deny.' }),
  from: z
    .array(commandSyntax(parseNetwork))
    .min(1, 'is empty')
    .optional()
    .meta({ description: 'As in --from.' }),
  uses: z.int('is no whole number').min(1, 'is too small').optional().meta({ description: 'As in --uses.' }),
});
