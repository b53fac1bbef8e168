/** A process that can die: between any two calls to the outside, before or after the call had its effect. */
export type Gate = {
  /** Resolves when the process died. */
  readonly died: Promise<void>;
  readonly isDead: () => boolean;
  /** Dies after so many more steps (each call is two: before and after its effect). */
  dieIn(steps: number): void;
  die(): void;
  /** Wraps a port: its calls hang for ever once the process is dead. */
  wrap<T extends object>(port: T): T;
};

const never = new Promise<never>(() => undefined);

export function createGate(): Gate {
  const { promise: died, resolve } = Promise.withResolvers<void>();
  let dead = false;
  let left = Number.POSITIVE_INFINITY;
  const die = () => {
    dead = true;
    resolve();
  };
  const step = () => {
    if (--left <= 0) die();
    return dead;
  };
  return {
    died,
    isDead: () => dead,
    dieIn: (steps) => {
      left = steps;
    },
    die,
    wrap: (port) =>
      new Proxy(port, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function' || name === 'onCommitted') return value;
          return (...args: unknown[]): Promise<unknown> => {
            if (dead || step()) return never;
            const result = Promise.resolve(
              Reflect.apply(value as (...all: unknown[]) => unknown, target, args),
            );
            const after = () => (dead || step() ? never : undefined);
            return result.then(
              async (answer) => {
                await after();
                return answer;
              },
              async (error: unknown) => {
                await after();
                throw error;
              },
            );
          };
        },
      }),
  };
}
