/** Everything before the first question: which latents, on which texts, with which activations. */
import { join } from "node:path";
import { remark } from "../../cli/output.ts";
import type { TokenRows } from "../../data/token_rows.ts";
import { writeManifest } from "../../data/manifest.ts";
import { InputError } from "../../formats/input_error.ts";
import { type IdentifiedFeatures, identifiedFeatures } from "../../identify/lape_result.ts";
import { userAccess } from "../../subject/access.ts";
import type { LatentsByHookpoint } from "../latent_cache/cache_options.ts";
import { openTokenMatrix } from "../latent_cache/token_matrix.ts";
import { type PassDone, readActivationsOnce } from "./activations.ts";
import {
  byHookpoint,
  type ChosenLatent,
  controlCandidates,
  identifiedIndices,
  identifiedLatents,
} from "./chosen_latents.ts";
import type { InterpretOptions } from "./options.ts";
import type { Run } from "./run.ts";
import { cacheConfig, runConfig } from "./run_config.ts";
import { controlsOf, exampleOptions, tokenMatrixOptions } from "./settings.ts";

/** Activations of all latents in question, and how they are to be read. */
export interface Prepared {
  readonly lape: IdentifiedFeatures;
  /** Identified latents to explain, hookpoint by hookpoint. */
  readonly chosen: readonly ChosenLatent[];
  /** Latents to draw controls from, in the order of preference. */
  readonly candidates: readonly ChosenLatent[];
  readonly rows: TokenRows;
  readonly pass: PassDone;
  readonly examples: ReturnType<typeof exampleOptions>;
}

/** Batches of identify, where it has to run first: texts are short there. */
const IDENTIFY_TEXTS = 1024;

/**
 * Finds out what is to be explained, and reads its activations where they are not there yet.
 *
 * @param code hash of the code that computes activations
 * @throws InputError for anything that cannot be used
 */
export async function prepare(
  { options, folder, session, owned, openModel }: Run,
  code: string,
): Promise<Prepared> {
  const { subject } = session;
  if (subject.kind !== "latents") {
    throw new InputError(
      "--layer names neurons, but latents of SAEs are explained; name hookpoints as layers.N.mlp or " +
        "layers.N.",
    );
  }
  const lape = await identifiedFeatures({ ...options, batchSize: IDENTIFY_TEXTS }, "latents");
  const all = identifiedLatents(lape.result, subject.targets);
  const chosen = identifiedLatents(lape.result, subject.targets, options.maxLatents)
    .flatMap(({ identified }) => identified);
  const candidates = controlsOf(options).includes("random")
    ? all.flatMap((hookpoint) =>
      controlCandidates(hookpoint, identifiedIndices(lape.result, hookpoint.layer), options.seed)
    )
    : [];
  const texts = tokenMatrixOptions(options);
  const model = {
    name: subject.modelName,
    tokenizer: subject.tokenizer,
    vocabularySize: subject.config.vocabularySize,
    hashes: subject.hashes.model,
  };
  const rows = owned.use(
    await openTokenMatrix(texts, model, userAccess(), join(folder, "rows")),
  );
  const examples = exampleOptions(options, subject.modelName === "embedded");
  await writeManifest(
    join(folder, "run_config.json"),
    runConfig(options, {
      model: subject.modelName,
      saes: subject.saeName,
      hookpoints: subject.targets.map(({ hookpoint }) => hookpoint.name),
      lape: lape.path,
      ...{ texts, examples },
    }),
  );
  const pass = await readActivationsOnce({
    ...{ folder, session, rows, code, openModel },
    wanted: keptLatents([...all.flatMap(({ identified }) => identified), ...candidates], options),
    config: cacheConfig(options, { texts }),
  }, options);
  remark(
    `${pass.known ? "There are" : "Read"} ${pass.entries.toLocaleString("en")} activations on ` +
      `${pass.tokens.toLocaleString("en")} tokens${pass.known ? " from an earlier run" : ""}.`,
  );
  return { lape, chosen, candidates, rows, pass, examples };
}

/**
 * Latents whose activations are kept: identified ones, be they explained now or later, and candidates
 * for controls; undefined where all are, as published, and where neighbours are looked for.
 */
function keptLatents(
  latents: readonly ChosenLatent[],
  { compat, nonActivatingSource }: InterpretOptions,
): LatentsByHookpoint | undefined {
  return compat === "paper" || nonActivatingSource === "neighbours"
    ? undefined
    : byHookpoint(latents);
}
