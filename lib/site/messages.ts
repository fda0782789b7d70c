/** What the page and the worker with the engine tell each other. */
import type { LatentSteering } from "../explore/live/visitor_runs.ts";
import type { HashedFiles } from "./hashed_files.ts";

/** From the page. */
export type Request =
  /** The first. */
  | { readonly kind: "open"; readonly root: string; readonly hashes: HashedFiles }
  | { readonly kind: "try"; readonly id: number; readonly text: string }
  | { readonly kind: "steer"; readonly id: number; readonly request: LatentSteering }
  /** Nobody waits for the answer any more. */
  | { readonly kind: "cancel"; readonly id: number };

/** From the worker, to the question of that number. */
export type Reply =
  | { readonly kind: "progress"; readonly id: number; readonly tokens: number }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "problem"; readonly id: number; readonly problem: string };
