/** Everything before the first question: which latents, on which texts, with which activations. */
import { join } from "node:path";
import { remark } from "../cli/output.ts";
import type { TokenRows } from "../data/token_rows.ts";
import { writeManifest } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import { type IdentifiedFeatures, identifiedFeatures } from "../identify/lape_result.ts";
import { userAccess } from "../subject/access.ts";
import type { LatentsByHookpoint } from "../interpret/latent_cache/cache_options.ts";
import {
  openPublishedCache,
  type PublishedCache,
} from "../interpret/latent_cache/published_cache.ts";
import {
  openTokenMatrix,
  type TokenMatrixOptions,
} from "../interpret/latent_cache/token_matrix.ts";
import { type PassDone, readActivationsOnce } from "./activations.ts";
import {
  byHookpoint,
  controlCandidates,
  identifiedIndices,
  identifiedLatents,
} from "./chosen_latents.ts";
import type { InterpretOptions } from "./options.ts";
import type { Run } from "./run.ts";
import { cacheConfig, runConfig } from "./run_config.ts";
import { controlsOf, exampleOptions, tokenMatrixOptions } from "./settings.ts";
import type { ChosenLatent } from "../interpret/results/found.ts";

/** Activations of all latents in question, and how they are to be read. */
export interface Prepared {
  readonly lape: IdentifiedFeatures;
  /** Identified latents to explain, hookpoint by hookpoint. */
  readonly chosen: readonly ChosenLatent[];
  /** Latents to draw controls from, in the order of preference. */
  readonly candidates: readonly ChosenLatent[];
  readonly rows: TokenRows;
  readonly pass: PassDone;
  /** True where the activations are another program's. */
  readonly isPublished: boolean;
  readonly examples: ReturnType<typeof exampleOptions>;
}

/** Batches of identify, where it has to run first: texts are short there. */
export const IDENTIFY_TEXTS = 1024;

/**
 * Finds out what is to be explained, and reads its activations where they are not there yet. A cache that
 * another program left is taken as it is.
 *
 * @param code hash of the code that computes activations
 * @throws InputError for anything that cannot be used
 */
export async function prepare(run: Run, code: string): Promise<Prepared> {
  const { options, folder, session, owned } = run;
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
  const identified = all.flatMap(({ identified }) => identified);
  const published = await openPublishedCache(folder, [...byHookpoint(identified).keys()]);
  const texts = tokenMatrixOptions(options);
  const examples = exampleOptions(options, subject.modelName === "embedded");
  const rows = published ? owned.use(published).tokens : await openRows(run, texts);
  const settings = runConfig(options, {
    model: subject.modelName,
    saes: subject.saeName,
    hookpoints: subject.targets.map(({ hookpoint }) => hookpoint.name),
    lape: lape.path,
    ...{ texts, examples },
  });
  await writeManifest(
    join(folder, "run_config.json"),
    published ? { ...settings, cache_cfg: published.config } : settings,
  );
  const pass = published ? passOf(published) : await readActivationsOnce({
    ...{ folder, session, rows, code, openModel: run.openModel },
    wanted: keptLatents([...identified, ...candidates], options),
    config: cacheConfig(options, { texts }),
  }, options);
  const origin = published ? " from another program" : pass.known ? " from an earlier run" : "";
  remark(
    `${pass.known ? "There are" : "Read"} ${pass.entries.toLocaleString("en")} activations on ` +
      `${pass.tokens.toLocaleString("en")} tokens${origin}.`,
  );
  return { lape, chosen, candidates, rows, pass, isPublished: published !== undefined, examples };
}

/** The token matrix of the texts that options name. */
async function openRows(
  { folder, session: { subject }, owned }: Run,
  texts: TokenMatrixOptions,
): Promise<TokenRows> {
  const model = {
    name: subject.modelName,
    tokenizer: subject.tokenizer,
    vocabularySize: subject.config.vocabularySize,
    hashes: subject.hashes.model,
  };
  return owned.use(await openTokenMatrix(texts, model, userAccess(), join(folder, "rows")));
}

/** What there is to say of a pass that another program made. */
function passOf({ tokens: { rows, contextLength }, entries }: PublishedCache): PassDone {
  return { rows, tokens: rows * contextLength, entries, known: true, adapter: undefined };
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
