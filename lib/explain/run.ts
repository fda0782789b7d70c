/** A run of the step: what it works with, and what it says of itself. */
import { join } from "node:path";
import { isFile } from "../data/file_tree.ts";
import { codeHash, timesSince, writeManifest } from "../data/manifest.ts";
import type { Endpoint } from "../llm/endpoint.ts";
import { type RunningModel, type Session, sessionProvenance } from "../session/session.ts";
import type { PromptTexts } from "../interpret/prompts/prompt_texts.ts";
import type { InterpretOptions } from "./options.ts";
import type { Prepared } from "./prepared.ts";
import { RESULT_FILES } from "../interpret/results/written_results.ts";

/** Code that computes activations. */
export const MODEL_ROOMS = [
  "kernels",
  "lib/gpu",
  "lib/nn",
  "lib/sae",
  "lib/interpret/latent_cache",
];
/** Code that asks, and reads answers. */
export const ASKING_ROOMS = ["lib/interpret", "lib/explain"];

/** What a run works with. */
export interface Run {
  readonly options: InterpretOptions;
  readonly started: Date;
  /** Of the results; claimed. */
  readonly folder: string;
  readonly session: Session;
  readonly texts: PromptTexts;
  /** Undefined where nobody is asked. */
  readonly endpoint: Endpoint | undefined;
  /** Lets no more be asked. */
  readonly stop: AbortController;
  readonly owned: DisposableStack;
  /** The model on the GPU, opened on the first call. */
  openModel(): Promise<RunningModel>;
}

/**
 * Writes run.json.
 *
 * @param place folder in that of the results: a run that asks nobody leaves the run.json of results as it
 *   is, since they are not its own
 * @param result what else there is to say
 */
export async function writeRun(
  { options, started, folder, session, endpoint }: Run,
  { lape, pass, rows }: Prepared,
  place: string,
  result: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await writeManifest(join(folder, place, "run.json"), {
    step: "interpret",
    // an address may hold a secret; the endpoint's own has none
    options: { ...options, baseUrl: endpoint?.base },
    ...sessionProvenance(session),
    lape: { path: lape.path, sha256: lape.sha256 },
    texts: { rows: pass.rows, tokens: pass.tokens, sha256: rows.sha256 },
    activations: pass.entries,
    ...result,
    adapter: pass.adapter ?? null,
    code: { sha256: await codeHash([...MODEL_ROOMS, ...ASKING_ROOMS, "lib/llm"]) },
    ...timesSince(started),
  });
}

/** Whether the folder has results, with a run.json of their own. */
export async function hasResults({ folder }: Run): Promise<boolean> {
  return await isFile(join(folder, RESULT_FILES.summary));
}

/** Removes folders that an earlier run left, so that they are made anew. */
export async function removeFolders(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await Deno.remove(join(folder, name), { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
