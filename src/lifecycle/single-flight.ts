/** Runs one piece of work per key at a time; callers in the meantime share its result. */
export function singleFlight<V>(): (key: string, work: () => Promise<V>) => Promise<V> {
  const flying = new Map<string, Promise<V>>();
  return (key, work) => {
    const present = flying.get(key);
    if (present !== undefined) return present;
    const mine = work().finally(() => flying.delete(key));
    flying.set(key, mine);
    return mine;
  };
}
