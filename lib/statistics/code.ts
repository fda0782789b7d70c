/** The code that decides what is read of a model, for the identity of results. */

/** Folders of it, for {@linkcode codeHash}; a step adds its own. */
export const READING_ROOMS = [
  "kernels",
  "lib/gpu",
  "lib/nn",
  "lib/sae",
  "lib/subject",
  "lib/formats",
  "lib/interpret",
];
