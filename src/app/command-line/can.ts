import { loadConfig } from '../../config/index.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { locate } from '../../lifecycle/locate.ts';
import { openSqliteLedgerReadOnly } from '../../store/sqlite/index.ts';
import { createLog } from '../../telemetry/log.ts';
import { explanationDocument } from '../../words/explanation.ts';
import { toText } from '../../words/render.ts';
import { ledgerFile } from '../paths.ts';
import { createRequestExplainer } from '../request-explainer.ts';
import { CONFIG_FLAG, configFile } from './config-flag.ts';
import { type CliCommand, type Flags, textOf } from './command.ts';

const EXAMPLE = 'mintwarden can 7F3K9Q GET /_matrix/client/v3/sync';

/** `mintwarden can`: as `!can`, from the ledger alone, beside a running service or without one. */
export const can: CliCommand = {
  name: 'can',
  summary: 'say whether a request with a token would pass the gateway, and why',
  usage: 'ID METHOD PATH [BODY] [--config FILE]',
  operands: ['ID', 'METHOD', 'PATH', 'BODY'],
  flags: [CONFIG_FLAG],
  notes: [
    'Nothing is sent, and the homeserver is not asked. PATH may be a whole address, BODY the JSON of the request. Put them in',
    'single quotes, since the shell has its own ideas of ! and ?. Where the scope is all rooms, or rooms by their creator,',
    'which rooms those are is not known here; !can in the control room knows it while the token is in use.',
    'Exit status: 0 it would pass, or may; 1 it would not.',
  ],
  run: async (flags) => {
    const config = await loadConfig(configFile(flags), process.env);
    const ledger = await openSqliteLedgerReadOnly({
      file: ledgerFile(config),
      log: createLog({ level: 'warn', pretty: true }),
    });
    try {
      const grant = await locate({ ledger }, requiredOperand(flags, 'ID'), null);
      const question = {
        method: requiredOperand(flags, 'METHOD'),
        target: requiredOperand(flags, 'PATH'),
        body: textOf(flags, 'BODY'),
      };
      const clock = { now: () => Date.now() };
      const requests = createRequestExplainer({
        ledger,
        clock,
        controlRoomId: config.control_room,
        remembered: () => null,
      });
      const explanation = await requests.explain(question, grant);
      console.log(toText(explanationDocument(explanation, grant)));
      return explanation.passes === 'no' ? 1 : 0;
    } finally {
      await ledger.close();
    }
  },
};

function requiredOperand(flags: Flags, name: string): string {
  const text = textOf(flags, name);
  if (text === null)
    throw new MintwardenError('usage', `${name} is missing.`, `Write for example: ${EXAMPLE}`);
  return text;
}
