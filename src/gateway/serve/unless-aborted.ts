/** The promise's outcome, or the signal's reason as soon as that is aborted. The promise itself runs on. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    throw signal.reason;
  }
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
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
