/** Makes what was thrown an uncaught exception, where a caller would swallow it or be disturbed by it. */
export function rethrow(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}
