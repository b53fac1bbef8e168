import { isLoopback, type Config } from '../../config/index.ts';
import { speakDuration } from '../../domain/duration.ts';
import { MintwardenError } from '../../domain/errors.ts';
import type { AdminApi } from '../../issuers/synapse/admin.ts';
import { proxySentence } from '../../net/proxy.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { evaluateVersion } from './versions.ts';

const SKEW_WARN_MS = 5_000;
const SKEW_FAIL_MS = 60_000;

/** The homeserver itself: there, a Synapse, in charge of logins, reached safely, and its clock. */
export async function checkHomeserver(
  config: Config,
  admin: AdminApi,
  now: () => number,
): Promise<readonly Finding[]> {
  const { url } = config.homeserver;
  const begun = performance.now();
  let theirs: number | null;
  try {
    theirs = await admin.clock();
  } catch (error) {
    if (!(error instanceof MintwardenError)) throw error;
    if (error.code === 'homeserver-unreachable') return [fail('homeserver', error.message)];
    const fix =
      'Correct homeserver.url: it is the address that clients of the homeserver use, or the one Synapse listens on.';
    return [fail('homeserver', `What answers at ${url} is no Matrix homeserver.`, { fix })];
  }
  const findings: Finding[] = [
    ok('homeserver', `${url} answered in ${String(Math.round(performance.now() - begun))} ms.`),
  ];
  if (theirs !== null) findings.push(clockFinding(theirs - now()));
  const { protocol, hostname } = new URL(url);
  findings.push(
    protocol === 'http:' && !isLoopback(hostname)
      ? warn('transport', `${url} is plain HTTP to another machine.`)
      : ok(
          'transport',
          protocol === 'https:'
            ? 'The homeserver is reached by https.'
            : 'The homeserver is on this machine.',
        ),
  );
  findings.push(proxyFinding(protocol, process.env));
  try {
    return [...findings, ...(await checkSynapse(url, admin))];
  } catch (error) {
    if (!(error instanceof MintwardenError)) throw error;
    return [...findings, fail('admin-api', error.message)];
  }
}

/** How this environment has the homeserver reached; the service's own may be another. */
export function proxyFinding(protocol: string, environment: NodeJS.ProcessEnv): Finding {
  const { kind, sentence } = proxySentence(environment);
  if (kind === 'ignored') return warn('proxy', sentence);
  return kind === 'proxy' && protocol === 'http:'
    ? warn('proxy', `${sentence} It can read every token, since homeserver.url is plain http.`, {
        fix: 'Use https in homeserver.url, or name its host in no_proxy.',
      })
    : ok('proxy', sentence);
}

async function checkSynapse(url: string, admin: AdminApi): Promise<readonly Finding[]> {
  const version = await admin.version();
  if (version === null) return [fail('admin-api', `${url} answers, but Synapse's admin API is not there.`)];
  const leftToOthers = await admin.usesAuthenticationService();
  return [
    ok('admin-api', `The admin API answers at ${url}.`),
    evaluateVersion('synapse-version', version),
    leftToOthers
      ? fail('logins', 'Logins are left to the Matrix Authentication Service.')
      : ok('logins', 'Synapse does logins itself.'),
  ];
}

/** @param skewMs how far the homeserver's clock is ahead; known to a second */
export function clockFinding(skewMs: number): Finding {
  const far = Math.abs(skewMs);
  if (far <= SKEW_WARN_MS) return ok('clock', 'The clocks of the homeserver and of this machine agree.');
  const found = `The homeserver's clock is ${speakDuration(far)} ${skewMs > 0 ? 'ahead' : 'behind'}.`;
  return far > SKEW_FAIL_MS ? fail('clock', found) : warn('clock', found);
}
