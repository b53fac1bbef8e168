import { createInterface } from 'node:readline';

/** What a child process of the harness can be asked to do, by name. */
export type Handlers = Record<string, (params: never) => Promise<unknown>>;

/** The child's end of `json-lines-process.ts`: answers calls until stdin ends, then exits. */
export function serveJsonLines(handlers: Handlers): void {
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const { id, method, params } = JSON.parse(line) as { id: number; method: string; params: never };
      const handler = handlers[method] ?? (() => Promise.reject(new Error(`there is no "${method}"`)));
      handler(params).then(
        (result) => {
          write({ id, result: result ?? null });
        },
        (error: unknown) => {
          write({ id, error: error instanceof Error ? error.message : String(error) });
        },
      );
    })
    .on('close', () => process.exit());
}

/** Tells the parent of something. */
export function tell(event: string, data: unknown): void {
  write({ event, data });
}

function write(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
