/// <reference lib="dom" />
/** The model in a worker, as the page asks it. */
import type { Steered, Tried } from "../explore/backend.ts";
import type { LatentSteering } from "../explore/live/visitor_runs.ts";
import type { HashedFiles } from "./hashed_files.ts";
import type { Reply, Request } from "./messages.ts";
import type { LiveModel } from "./static_backend.ts";

/** Who waits for an answer. */
interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly progress?: (tokens: number) => void;
}

/** Asks a worker; it is started, and the weights fetched, at the first question. */
export class WorkerModel implements LiveModel {
  readonly #start: () => Promise<Worker>;
  readonly #root: string;
  readonly #hashes: HashedFiles;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Promise<Worker> | undefined;
  #next = 0;

  /**
   * @param start starts the worker
   * @param root of the site
   * @param hashes of the engine's files
   */
  constructor(start: () => Promise<Worker>, root: string, hashes: HashedFiles) {
    this.#start = start;
    this.#root = root;
    this.#hashes = hashes;
  }

  async tryText(text: string, signal?: AbortSignal): Promise<Tried> {
    return await this.#ask((id) => ({ kind: "try", id, text }), signal) as Tried;
  }

  async steer(
    request: LatentSteering,
    progress: (tokens: number) => void,
    signal?: AbortSignal,
  ): Promise<Steered> {
    return await this.#ask((id) => ({ kind: "steer", id, request }), signal, progress) as Steered;
  }

  async #ask(
    question: (id: number) => Request,
    signal?: AbortSignal,
    progress?: (tokens: number) => void,
  ): Promise<unknown> {
    const worker = await (this.#worker ??= this.#open());
    signal?.throwIfAborted();
    const id = this.#next++;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, progress });
      signal?.addEventListener("abort", () => {
        if (!this.#waiting.delete(id)) return;
        tell(worker, { kind: "cancel", id });
        reject(signal.reason);
      });
      tell(worker, question(id));
    });
  }

  async #open(): Promise<Worker> {
    const worker = await this.#start().catch((error) => {
      this.#worker = undefined;
      throw error;
    });
    worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#worker = undefined;
      const waiting = [...this.#waiting.values()];
      this.#waiting.clear();
      for (const { reject } of waiting) reject(new Error(NOT_STARTED));
    };
    tell(worker, { kind: "open", root: this.#root, hashes: this.#hashes });
    return worker;
  }

  #hear(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    if (reply.kind === "progress") return waiting.progress?.(reply.tokens);
    this.#waiting.delete(reply.id);
    if (reply.kind === "answer") waiting.resolve(reply.answer);
    else waiting.reject(new Error(reply.problem));
  }
}

function tell(worker: Worker, request: Request): void {
  worker.postMessage(request);
}

const NOT_STARTED =
  "The model could not be started in this browser: a current Chrome, Edge or Firefox runs it.";
