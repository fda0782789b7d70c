/** Runs of the model, told line by line while they last. */
import type { RunLine } from "../pages/http_backend.ts";

/** What a run tells. */
export interface RunTelling {
  readonly signal: AbortSignal;
  ahead(count: number): void;
  tokens(count: number): void;
}

/**
 * A response that ends with the run's result or problem. The run ends when the visitor leaves.
 *
 * @param ending aborted when the server ends
 */
export function runStream(
  ending: AbortSignal,
  run: (telling: RunTelling) => Promise<unknown>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = new AbortController();
  const signal = AbortSignal.any([ending, left.signal]);
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(controller) {
      const tell = (line: RunLine) => {
        if (!signal.aborted) controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
      };
      try {
        const result = await run({
          signal,
          ahead: (ahead) => tell({ ahead }),
          tokens: (tokens) => tell({ tokens }),
        });
        tell({ result });
      } catch (error) {
        tell({ problem: (error as Error).message });
      }
      if (!left.signal.aborted) controller.close();
    },
    cancel: (reason) => left.abort(reason),
  });
}
