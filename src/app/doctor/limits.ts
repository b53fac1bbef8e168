import type { Config } from '../../config/index.ts';
import type { AdminApi } from '../../issuers/synapse/admin.ts';
import { type Finding, ok, warn } from './finding.ts';

const ID = 'gateway-limits';
/** Synapse's `rc_message` where nothing else is configured. It tells nobody what is. */
const RC_MESSAGE = { perSecond: 0.2, burst: 10 };
const MB = 1_048_576;

/** Whether holders may do what the homeserver will not let them do. */
export async function checkLimits(config: Config, admin: AdminApi): Promise<readonly Finding[]> {
  const { limits } = config.gateway;
  const uploadSize = await admin.uploadSize(config.bot.access_token);
  const findings = [writeFinding(limits), uploadFinding(limits, uploadSize)];
  const wrong = findings.filter(({ severity }) => severity !== 'ok');
  return wrong.length > 0 ? wrong : [ok(ID, findings.map(({ found }) => found).join(' '))];
}

function writeFinding(limits: Config['gateway']['limits']): Finding {
  const { writes_per_second: perSecond, writes_at_once: burst } = limits;
  const ours = `A token may write ${perSecond} times a second, ${burst} at once`;
  const theirs = `${RC_MESSAGE.perSecond} and ${RC_MESSAGE.burst}`;
  if (perSecond < RC_MESSAGE.perSecond && burst < RC_MESSAGE.burst)
    return ok(ID, `${ours}: less than a user may by Synapse’s defaults (${theirs}).`);
  return warn(ID, `${ours}: as much as a user may by Synapse’s defaults (${theirs}), or more.`, {
    fix: 'Synapse does not tell its limits. If rc_message in homeserver.yaml is higher than both figures, all is well; otherwise lower gateway.limits.writes_per_second and writes_at_once, or raise rc_message.',
  });
}

/** @param theirs bytes; null: the homeserver has no limit, or tells none */
function uploadFinding({ upload_size: ours }: Config['gateway']['limits'], theirs: number | null): Finding {
  if (theirs === null) return ok(ID, `Files of up to ${spoken(ours)} are passed on to the homeserver.`);
  return ours <= theirs
    ? ok(ID, `Files of up to ${spoken(ours)} may be uploaded; the homeserver takes ${spoken(theirs)}.`)
    : warn(
        ID,
        `Files of up to ${spoken(ours)} may be uploaded, but the homeserver takes ${spoken(theirs)}.`,
        {
          fix: `Set gateway.limits.upload_size to ${String(Math.max(1, Math.floor(theirs / 1_024)))}K, or raise max_upload_size in homeserver.yaml.`,
        },
      );
}

function spoken(bytes: number): string {
  return bytes < MB ? `${String(Math.round(bytes / 1_024))} KiB` : `${String(Math.round(bytes / MB))} MiB`;
}
