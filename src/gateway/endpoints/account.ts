import type { Endpoint } from '../request/endpoint.ts';
import { never, unserved } from './refused.ts';

const C = '/_matrix/client/{v}';
const UNSTABLE = '/_matrix/client/unstable';
const MAKES = 'Creates credentials that would outlive the grant.';
const ACCOUNTS = 'Creates accounts; a token speaks for an existing one.';
const THIRD_PARTY = 'Third-party IDs can reset the password: adding one takes over the account.';
const CODES = 'Sends a code that proves an address: the first step to taking over an account.';
const PASSWORD = 'Setting the password takes over the account.';

/** Credentials and the account itself: in no scope, whatever it says. */
export const ACCOUNT: readonly Endpoint[] = [
  never(
    'getLoginFlows',
    'GET',
    `${C}/login`,
    'A holder already has a token; others ask the homeserver how to log in.',
  ),
  never('login', 'POST', `${C}/login`, MAKES),
  never('generateLoginToken', 'POST', `${C}/login/get_token`, MAKES, {
    aliases: [`${UNSTABLE}/org.matrix.msc3882/login/token`],
  }),
  never('redirectToSSO', 'GET', `${C}/login/sso/redirect`, 'Starts a login.', {
    aliases: [`${C}/login/cas/redirect`],
  }),
  never('redirectToIdP', 'GET', `${C}/login/sso/redirect/{idpId}`, 'Starts a login.'),
  never('refresh', 'POST', `${C}/refresh`, MAKES),
  never('logout_all', 'POST', `${C}/logout/all`, 'Would log the subject out of their own devices.'),
  unserved(
    'getAuthMetadata',
    'GET',
    `${C}/auth_metadata`,
    'Says where to log in, which a holder does not need.',
    {
      aliases: [`${UNSTABLE}/org.matrix.msc2965/auth_metadata`, `${UNSTABLE}/org.matrix.msc2965/auth_issuer`],
    },
  ),
  never(
    'requestOpenIdToken',
    'POST',
    `${C}/user/{userId}/openid/request_token`,
    'Creates a credential for other services.',
  ),
  never('register', 'POST', `${C}/register`, ACCOUNTS),
  never('checkUsernameAvailability', 'GET', `${C}/register/available`, ACCOUNTS),
  never('requestTokenToRegisterEmail', 'POST', `${C}/register/email/requestToken`, CODES),
  never('requestTokenToRegisterMSISDN', 'POST', `${C}/register/msisdn/requestToken`, CODES),
  never('registrationTokenValidity', 'GET', `${C}/register/m.login.registration_token/validity`, ACCOUNTS),
  never('changePassword', 'POST', `${C}/account/password`, PASSWORD),
  never('requestTokenToResetPasswordEmail', 'POST', `${C}/account/password/email/requestToken`, PASSWORD),
  never('requestTokenToResetPasswordMSISDN', 'POST', `${C}/account/password/msisdn/requestToken`, PASSWORD),
  never('deactivateAccount', 'POST', `${C}/account/deactivate`, 'Deactivates the account.'),
  never(
    'getAccount3PIDs',
    'GET',
    `${C}/account/3pid`,
    'The subject’s e-mail addresses and phone numbers are private.',
  ),
  never('post3PIDs', 'POST', `${C}/account/3pid`, THIRD_PARTY),
  never('add3PID', 'POST', `${C}/account/3pid/add`, THIRD_PARTY),
  never('bind3PID', 'POST', `${C}/account/3pid/bind`, THIRD_PARTY),
  never(
    'delete3pidFromAccount',
    'POST',
    `${C}/account/3pid/delete`,
    'Removes a way for the subject to recover the account.',
  ),
  never(
    'unbind3pidFromAccount',
    'POST',
    `${C}/account/3pid/unbind`,
    'Removes a way for others to find the subject.',
  ),
  never('requestTokenTo3PIDEmail', 'POST', `${C}/account/3pid/email/requestToken`, CODES),
  never('requestTokenTo3PIDMSISDN', 'POST', `${C}/account/3pid/msisdn/requestToken`, CODES),
  never(
    'accountStatus',
    'any',
    [`${UNSTABLE}/org.matrix.msc3720/account_status`],
    'Reveals which accounts exist.',
    { source: 'unstable' },
  ),
  never(
    'rendezvous',
    'any',
    [
      `${C}/rendezvous`,
      `${C}/rendezvous/**`,
      `${UNSTABLE}/{msc}/rendezvous`,
      `${UNSTABLE}/{msc}/rendezvous/**`,
    ],
    'Signs in new devices.',
    { source: 'unstable' },
  ),
  never(
    'accountFamily',
    'any',
    [
      `${C}/account/**`,
      `${C}/login/**`,
      `${C}/register/**`,
      `${C}/auth/**`,
      `${C}/tokenrefresh`,
      `${C}/registration/**`,
      `${C}/add_threepid/**`,
      `${C}/account_validity/**`,
      `${C}/user/{userId}/openid/**`,
      `${C}/password_policy`,
    ],
    'All other paths for credentials and accounts, including later ones, and ones with a suffix that Synapse ignores.',
    { source: 'family' },
  ),
];
