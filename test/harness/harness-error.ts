/** What the harness throws: the message is a sentence, followed by what to do about it. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError';
}
