import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';
import { HarnessError } from './harness-error.ts';
import { connectSynapse, startSynapse } from './synapse.ts';
import type { SynapseAddress, SynapseServer } from './synapse.ts';

declare module 'vitest' {
  interface ProvidedContext {
    synapse: SynapseAddress;
  }
}

/** vitest's globalSetup of the project `real`: one Synapse for all its files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const synapse = await startSynapse({
    serverNotices: false,
    onProgress: (line) => process.stderr.write(`[harness] ${line}\n`),
  });
  project.provide('synapse', synapse.address);
  return async () => {
    await synapse[Symbol.asyncDispose]();
  };
}

/**
 * The Synapse that all test files of the project `real` share. Take users by `uniqueUser`; what stops
 * it or changes its configuration wants a Synapse of its own (`startSynapse`).
 */
export function sharedSynapse(): SynapseServer {
  const address = inject('synapse') as SynapseAddress | undefined;
  if (address === undefined) {
    throw new HarnessError(
      'There is no shared Synapse here. Put the file where vitest.config.ts looks for the project "real", or use startSynapse().',
    );
  }
  return connectSynapse(address);
}
