/** The latents that are worked on, and the way to their examples. */
import { InputError } from "../formats/input_error.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";
import type { Embedder } from "../llm/chat.ts";
import { type ExampleOptions, hasExamples } from "../interpret/examples/example_source.ts";
import { prepareNeighbours } from "../interpret/examples/neighbour_files.ts";
import { openLatentExamples } from "../interpret/examples/open_examples.ts";
import type { LatentExamples } from "../interpret/example.ts";
import { byHookpoint } from "./chosen_latents.ts";
import { latentStem } from "../interpret/results/result_files.ts";
import type { Prepared } from "./prepared.ts";
import type { Run } from "./run.ts";
import { selectLatents } from "./select_latents.ts";
import type { ChosenLatent, SelectedLatents } from "../interpret/results/found.ts";

/** Latents and their examples. */
export interface SelectedExamples {
  readonly selected: SelectedLatents;
  load(latent: ChosenLatent): Promise<LatentExamples>;
}

/**
 * Chooses the latents that fire often enough, and opens their examples.
 *
 * @param embedder for `--non-activating-source FAISS`
 * @throws InputError when no latent fires often enough, or neighbours cannot be found
 */
export async function openSelected(
  { options, folder, session: { subject }, owned }: Run,
  prepared: Prepared,
  embedder: Embedder | undefined,
): Promise<SelectedExamples> {
  const { examples, rows } = prepared;
  const { tokenizer } = subject;
  const selected = await countFirings(prepared, folder, tokenizer);
  if (selected.identified.length === 0) throw nothingFires(selected, examples.minExamples);
  const latents = [...selected.identified, ...selected.random];
  if (examples.nonActivatingSource === "neighbours") {
    await prepareNeighbours(subject.targets, {
      folder,
      type: examples.neighboursType,
      latents: byHookpoint(latents),
      identity: { hashes: subject.hashes, rows: rows.sha256 },
      takePublished: prepared.isPublished,
      overwrite: options.overwrite.includes("neighbours"),
    });
  }
  const source = owned.use(
    await openLatentExamples(folder, latents, examples, { tokenizer, embedder }),
  );
  return {
    selected,
    async load(latent) {
      const found = await source.load(latent);
      if (hasExamples(found)) return found;
      throw new RangeError(`${latentStem(latent)} fires in too few windows`);
    },
  };
}

/** Chooses latents by how often they fire, which is asked of many more than are explained. */
async function countFirings(
  { chosen, candidates, examples }: Prepared,
  folder: string,
  tokenizer: Tokenizer,
): Promise<SelectedLatents> {
  const counting: ExampleOptions = {
    ...examples,
    ...{ nExamplesTrain: 1, nExamplesTest: 1, nNonActivating: 0, nonActivatingSource: "random" },
  };
  const latents = [...chosen, ...candidates];
  using census = await openLatentExamples(folder, latents, counting, { tokenizer });
  return await selectLatents(census, chosen, candidates);
}

function nothingFires({ skipped, silent }: SelectedLatents, least: number): InputError {
  const most = Math.max(0, ...skipped.map(({ active_windows }) => active_windows));
  return new InputError(
    `None of the ${
      skipped.length + silent.length
    } latents fires in ${least} windows of the texts, the ` +
      `most in ${most}; give more texts, or lower --min-examples, --n-examples-train and ` +
      `--n-examples-test.`,
  );
}
