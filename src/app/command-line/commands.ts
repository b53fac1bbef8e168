import { auditVerify } from './audit-verify.ts';
import type { CliCommand } from './command.ts';
import { doctorCommand } from './doctor.ts';
import { initCommand } from './init.ts';
import { start } from './start.ts';
import { trust } from './trust.ts';

/** Every command of the command line, in the order help shows them. */
export const COMMANDS: readonly CliCommand[] = [initCommand, doctorCommand, start, auditVerify, trust];
