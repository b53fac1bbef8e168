/**
 * The promise's outcome, or the signal's reason as soon as that is aborted. The promise itself runs on.
 * What is there at once is given back at once, with nothing to wait for.
 * @throws the signal's reason, where it is aborted already
 */
export function unlessAborted<T>(value: T | Promise<T>, signal: AbortSignal): T | Promise<T> {
  if (signal.aborted) {
    if (value instanceof Promise) value.catch(() => undefined);
    throw signal.reason;
  }
  if (!(value instanceof Promise)) return value;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  value.then(
    (outcome) => {
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    },
    (error: unknown) => {
      signal.removeEventListener('abort', onAbort);
      reject(error);
    },
  );
  return promise;
}

/** Waits, or until the signal is aborted; then its reason is thrown. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const waited = Promise.withResolvers<void>();
  const timer = setTimeout(() => waited.resolve(), ms);
  try {
    await unlessAborted(waited.promise, signal);
  } finally {
    clearTimeout(timer);
  }
}
