import type { Http } from './http.ts';

/**
 * Makes a request once more where the homeserver did not know the issuer's own token and there is another one
 * now: an operator has put it into its file, or the account was logged in again. Safe for any request, since one that was refused so was not
 * carried out.
 */
export function withFreshToken(
  http: Http,
  issuerToken: () => string,
  renewed: (hasSessionEnded: boolean) => Promise<boolean>,
): Http {
  return {
    async ask(request) {
      const asked = issuerToken();
      const answer = await http.ask(request);
      const refused =
        answer.kind === 'answer' && answer.status === 401 && answer.body?.['errcode'] === 'M_UNKNOWN_TOKEN';
      if (!refused || request.token !== asked || !(await renewed(answer.body?.['soft_logout'] === true)))
        return answer;
      return http.ask({ ...request, token: issuerToken() });
    },
    close: () => http.close(),
  };
}
