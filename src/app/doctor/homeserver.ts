import { isLoopback, type Config } from '../../config/index.ts';
import { speakDuration } from '../../domain/duration.ts';
import type { Synapse } from '../../issuers/synapse/synapse.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

const SKEW_WARN_MS = 5_000;
const SKEW_FAIL_MS = 60_000;

/** The homeserver itself: there, a Synapse, in charge of logins, reached safely, and its clock. */
export async function checkHomeserver(config: Config, { admin }: Synapse, now: () => number): Promise<readonly Finding[]> {
  const { url } = config.homeserver;
  const begun = performance.now();
  const version = await admin.version();
  if (version === null) {
    const mend = 'Point homeserver.url at the address Synapse itself listens on; proxies often hide /_synapse/admin.';
    return [fail('homeserver', `${url} answers, but Synapse's admin API is not there.`, 'Tokens are made by it.', mend)];
  }
  const findings: Finding[] = [
    ok('homeserver', `${url} is a Synapse ${version}; it answered in ${String(Math.round(performance.now() - begun))} ms.`),
  ];
  if (await admin.usesAuthenticationService()) {
    const why = 'Under it Synapse makes no tokens for others.';
    findings.push(
      fail(
        'logins',
        'Logins are left to the Matrix Authentication Service.',
        why,
        'This version works only where Synapse does logins itself.',
      ),
    );
  }
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !isLoopback(hostname)) {
    const why = "The issuer's token and every upstream token cross the network in the clear.";
    findings.push(
      warn(
        'homeserver',
        `${url} is plain HTTP to another machine.`,
        why,
        'Use https, or make sure that only a network you trust lies between.',
      ),
    );
  }
  const theirs = await admin.clock();
  if (theirs !== null) findings.push(clockFinding(theirs - now()));
  return findings;
}

/** @param skewMs how far the homeserver's clock is ahead; known to a second */
export function clockFinding(skewMs: number): Finding {
  const far = Math.abs(skewMs);
  if (far <= SKEW_WARN_MS) return ok('clock', 'The clocks of the homeserver and of this machine agree.');
  const found = `The homeserver's clock is ${speakDuration(far)} ${skewMs > 0 ? 'ahead' : 'behind'}.`;
  const why = 'Tokens would end too early or too late, and fresh commands look old.';
  const make = far > SKEW_FAIL_MS ? fail : warn;
  return make('clock', found, why, 'Let both machines keep their time by NTP.');
}
