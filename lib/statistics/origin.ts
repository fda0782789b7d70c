/** What is read of a model depends on: code and weights, for the identity of results. */
import type { Hookpoint } from "../nn/hookpoints.ts";
import type { Subject } from "../subject/subject.ts";

/** Folders of the code that decides it, for {@linkcode codeHash}; a step adds its own. */
export const READING_ROOMS = [
  "kernels",
  "lib/gpu",
  "lib/nn",
  "lib/sae",
  "lib/subject",
  "lib/formats",
  "lib/interpret",
];

/** SHA-256 of the model's files and of those of the SAE at one hookpoint. */
export function hashesAt({ hashes: { model, saes } }: Subject, { name }: Hookpoint) {
  const own = Object.entries(saes).filter(([path]) => path.startsWith(`${name}/`));
  return { model, sae: Object.fromEntries(own) };
}
