/** Which sources are mutated, and which tests must notice: a folder's own, or those that are about it. */
export const GROUPS: Readonly<
  Record<string, { readonly sources: readonly string[]; readonly tests: readonly string[] }>
> = {
  domain: { sources: ['src/domain/*.ts'], tests: ['test/domain/*.test.ts'] },
  authority: {
    sources: [
      'src/bot/{authorization,authorize-sender,addressing,typed-text,link-checks}.ts',
      'src/bot/html/*.ts',
      'src/bot/values/{permalink,room,user,whole-room-id}.ts',
    ],
    tests: ['test/bot/*.test.ts'],
  },
  lifecycle: {
    sources: [
      'src/lifecycle/mint/{mint-decisions,mint-subject,mint-recipient,mint-limits,mint-rooms,mint-terms,plan-mint}.ts',
      'src/lifecycle/revocation/end-decision.ts',
      'src/lifecycle/notifications/{delivery-decision,outbox-rows}.ts',
      'src/lifecycle/subjects/{subject-decision,refuses-bot}.ts',
      'src/lifecycle/leases/*.ts',
      'src/lifecycle/rows/*.ts',
      'src/lifecycle/{lockdown,decide-and-commit}.ts',
      'src/lifecycle/access/renew-lease.ts',
    ],
    tests: ['test/lifecycle/*.test.ts', 'test/lifecycle/time/*.test.ts'],
  },
  guard: {
    sources: [
      'src/gateway/steps/{authenticate,authorize,check-endpoint,check-shared-room,count-use,parse,route}.ts',
      'src/gateway/endpoints/authorizers.ts',
      'src/gateway/http/{bearer,decode,target,query,json,body}.ts',
      'src/gateway/request/tools.ts',
    ],
    tests: ['test/gateway/attacks/*.test.ts', 'test/gateway/steps/*.test.ts', 'test/gateway/server.test.ts'],
  },
  writes: {
    sources: ['src/gateway/writes/*.ts'],
    tests: [
      'test/gateway/attacks/{writes,retries,membership,state,power,people,silencing,rules,encryption,malformed-text,uses,interrupted}.test.ts',
      'test/gateway/writes/*.test.ts',
    ],
  },
};
