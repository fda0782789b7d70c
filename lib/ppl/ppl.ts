/** ppl: perplexities of languages, as a model is and with interventions (spec 8.2). */
import { type Progress, progress } from "../cli/progress.ts";
import { Checkpoint } from "../data/checkpoint.ts";
import type { Corpus } from "../data/corpora.ts";
import { codeHash } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import type { IdentifiedFeatures } from "../identify/lape_result.ts";
import {
  corpusProvenance,
  openSession,
  runModel,
  type Session,
  sessionProvenance,
} from "../session/session.ts";
import { join } from "node:path";
import { type Effects, interventionEffects } from "../steer/effects.ts";
import {
  type LanguageIntervention,
  languageInterventions,
} from "../steer/language_interventions.ts";
import type { PplOptions } from "./ppl_options.ts";
import { type Measured, scoreAll, type ScoredPart } from "./ppl_scores.ts";
import { type LanguageTexts, textsByLanguage } from "./ppl_texts.ts";

/** Code that decides perplexities. */
const ROOMS = [
  "kernels",
  "lib/gpu",
  "lib/nn",
  "lib/sae",
  "lib/steer",
  "lib/ppl",
  "lib/stats",
  "lib/subject",
  "lib/formats",
  "lib/data",
];

/** Perplexities, and what they were made from. */
export interface Perplexities {
  readonly languages: readonly LanguageTexts[];
  readonly interventions: readonly LanguageIntervention[];
  readonly measured: Measured;
  /** Of interventions. */
  readonly effects: Effects | undefined;
  /** For run.json. */
  readonly provenance: Readonly<Record<string, unknown>>;
  /** Finished parts; to be removed when all is written. */
  readonly checkpoint: Checkpoint<ScoredPart>;
}

/**
 * Opens the model, with the SAEs or neurons that an intervention is on; without one it needs neither.
 *
 * @throws InputError for options that do not fit each other, and what cannot be opened
 */
export async function openPplSession(options: PplOptions): Promise<Session> {
  const { interventionType, layer } = options;
  if (interventionType === "sae-features") {
    return kindChecked(await openSession(options), "latents");
  }
  const neurons = ["layers.*.mlp.act_fn"];
  if (interventionType === undefined) return await openSession({ ...options, layer: neurons });
  return kindChecked(await openSession({ ...options, layer: layer ?? neurons }), "neurons");
}

function kindChecked(session: Session, kind: "latents" | "neurons"): Session {
  if (session.subject.kind === kind) return session;
  session[Symbol.dispose]();
  throw new InputError(
    kind === "latents"
      ? "--intervention-type sae-features changes what SAEs read, but --layer names neurons: expected " +
        "layers.N.mlp or layers.N."
      : "--intervention-type neuron changes neurons, but --layer names hookpoints of SAEs: expected " +
        "layers.N.mlp.act_fn.",
  );
}

/**
 * Does what the options say.
 *
 * @param folder claimed; finished parts are kept here
 * @param lape features of languages; undefined where no intervention is asked for
 */
export async function measurePerplexities(
  options: PplOptions,
  session: Session,
  corpora: readonly Corpus[],
  folder: string,
  lape: IdentifiedFeatures | undefined,
): Promise<Perplexities> {
  const { subject } = session;
  using model = await runModel(session, options);
  const languages = textsByLanguage(subject, corpora, model.limits.tokens);
  const spoken = languages.map(({ language }) => language);
  const asked = lape ? await languageInterventions(options, subject, lape, spoken) : [];

  const code = await codeHash(ROOMS);
  const { adapter } = model;
  const identity = {
    ...{ code, adapter, model: subject.hashes, lape: lape?.sha256 },
    texts: corpora.map(({ sha256 }) => sha256),
    options: decisive(options),
  };
  using undo = new DisposableStack();
  const path = join(folder, "scores.jsonl");
  const checkpoint = undo.use(await Checkpoint.open<ScoredPart>(path, identity));
  const resumed = checkpoint.size;
  let shown: Progress | undefined;
  const measured = await scoreAll(languages, asked, checkpoint, model, {
    started: (total) => shown = progress({ label: "scoring", total, unit: "tokens" }),
    progressed: (tokens, part) => shown?.update(tokens, part),
  }).finally(() => shown?.done());
  const { impacted, interventions } = measured;
  undo.move();
  return {
    ...{ languages, interventions: asked, measured, checkpoint },
    effects: lape && interventionEffects(impacted, interventions, { seed: options.seed }),
    provenance: {
      ...sessionProvenance(session),
      corpora: corpusProvenance(corpora),
      lape: lape ? { path: lape.path, sha256: lape.sha256 } : null,
      interventions: asked.map(({ code, name, features }) => ({ code, language: name, features })),
      adapter,
      code: { sha256: code },
      parts_resumed: resumed,
    },
  };
}

/** Options that scores depend on. */
function decisive(options: PplOptions) {
  const { interventionType, interventionLang, layer, multiplier, value } = options;
  const { neuronInterventionMethod, lapeValueType, seed, datasetConfigs, kernels } = options;
  return {
    ...{ interventionType, interventionLang, layer, multiplier, value },
    ...{ neuronInterventionMethod, lapeValueType, seed, datasetConfigs, kernels },
  };
}
