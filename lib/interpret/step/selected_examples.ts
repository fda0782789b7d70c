/** The latents that are worked on, and the way to their examples. */
import { InputError } from "../../formats/input_error.ts";
import type { Embedder } from "../../llm/chat.ts";
import type { Session } from "../../session/session.ts";
import { type ExampleSource, hasExamples } from "../examples/example_source.ts";
import { prepareNeighbours } from "../examples/neighbour_files.ts";
import { openLatentExamples } from "../examples/open_examples.ts";
import type { LatentExamples } from "../example.ts";
import { byHookpoint, type ChosenLatent } from "./chosen_latents.ts";
import { latentStem } from "./result_files.ts";
import type { InterpretOptions } from "./options.ts";
import type { Prepared } from "./prepared.ts";
import { type SelectedLatents, selectLatents } from "./select_latents.ts";

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
  { chosen, candidates, examples, rows }: Prepared,
  options: InterpretOptions,
  folder: string,
  { subject }: Session,
  embedder: Embedder | undefined,
  owned: DisposableStack,
): Promise<SelectedExamples> {
  const { tokenizer } = subject;
  // how often a latent fires is asked of many more than are explained, so nothing else is
  const counting = {
    ...examples,
    ...{ nExamplesTrain: 1, nExamplesTest: 1, nNonActivating: 0 },
    nonActivatingSource: "random",
  } as const;
  const selected = await (async () => {
    using census = await openLatentExamples(
      folder,
      [...chosen, ...candidates],
      counting,
      { tokenizer },
    );
    return await selectLatents(census, chosen, candidates);
  })();
  if (selected.identified.length === 0) throw nothingFires(selected, examples.minExamples);
  const latents = [...selected.identified, ...selected.random];
  if (examples.nonActivatingSource === "neighbours") {
    await prepareNeighbours(subject.targets, {
      folder,
      type: examples.neighboursType,
      latents: byHookpoint(latents),
      identity: { hashes: subject.hashes, rows: rows.sha256 },
      overwrite: options.overwrite.includes("neighbours"),
    });
  }
  const source: ExampleSource = owned.use(
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
