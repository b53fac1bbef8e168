import { auditVerify } from './audit-verify.ts';
import { can } from './can.ts';
import type { CliCommand } from './command.ts';
import { configCheck } from './config-check.ts';
import { configPrint } from './config-print.ts';
import { configSchema } from './config-schema.ts';
import { doctorCommand } from './doctor.ts';
import { initCommand } from './init.ts';
import { recover } from './recover.ts';
import { completionOf } from './completion.ts';
import { exec } from './exec.ts';
import { start } from './start.ts';
import { trust } from './trust.ts';

const OTHERS: readonly CliCommand[] = [
  initCommand,
  doctorCommand,
  start,
  exec,
  configCheck,
  configPrint,
  configSchema,
  can,
  auditVerify,
  trust,
  recover,
];

/** Every command of the command line, in the order help shows them. */
export const COMMANDS: readonly CliCommand[] = [...OTHERS, completionOf(OTHERS)];
