import type { Http } from './http.ts';

/**
 * Makes a request once more where the homeserver did not know the issuer's own token and there is another one
 * now: an operator has put it into its file. Safe for any request, since one that was refused so was not
 * carried out.
 */
export function withFreshToken(http: Http, issuerToken: () => string, renewed: () => Promise<boolean>): Http {
  return {
    async ask(request) {
      const asked = issuerToken();
      const answer = await http.ask(request);
      const refused =
        answer.kind === 'answer' && answer.status === 401 && answer.body?.['errcode'] === 'M_UNKNOWN_TOKEN';
      if (!refused || request.token !== asked || !(await renewed())) return answer;
      return http.ask({ ...request, token: issuerToken() });
    },
    close: () => http.close(),
  };
}
