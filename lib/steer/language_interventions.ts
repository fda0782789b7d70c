/** Interventions in the name of languages: which languages' features are changed, how, and what controls them. */
import { type Language, languageOf, LANGUAGES } from "../data/languages.ts";
import { InputError } from "../formats/input_error.ts";
import type { LapeFeature, LapeResult } from "../lape/lape_json.ts";
import type { Subject } from "../subject/subject.ts";
import { randomControl } from "./control.ts";
import { type ActivationValue, type Edit, neuronEdits, saeEdits } from "./interventions.ts";

/** V by the keys that the original has for them in its LAPE file. */
export const LAPE_VALUES: Readonly<Record<string, ActivationValue>> = {
  final_indice_global_max_active: "max",
  final_indice_global_min_active: "min",
  final_indice_global_avg_active: "avg",
};

/** What is changed, in the options of the steps that change it (spec 8). */
export interface InterventionOptions {
  readonly interventionType?: "sae-features" | "neuron";
  /** Codes of languages; all that have features if not given. */
  readonly interventionLang?: readonly string[];
  /** m of m V_f W_dec[f]. */
  readonly multiplier: number;
  /** What neurons are set to, or the multiple of V_f that is added. */
  readonly value: number;
  readonly neuronInterventionMethod: "fixed" | "scaling";
  /** One of {@linkcode LAPE_VALUES}. */
  readonly lapeValueType: string;
  /** Random controls per language. */
  readonly control: number;
  readonly seed: number;
}

/** What is done in the name of one language. */
export interface LanguageIntervention {
  /** As it was asked for; names the file. */
  readonly code: string;
  readonly name: string;
  readonly features: number;
  readonly edits: readonly Edit[];
  /** The same on random features, once per draw. */
  readonly controls: readonly (readonly Edit[])[];
}

/**
 * The interventions that options ask for, in the order of `--intervention-lang`, else of the LAPE file.
 *
 * @param spoken languages of the texts, whose codes name the same languages here
 * @param option name of `interventionLang`, for messages
 * @throws InputError for languages without features, and files that do not fit the model
 */
export async function languageInterventions(
  options: InterventionOptions,
  subject: Subject,
  { result, path }: { readonly result: LapeResult; readonly path: string },
  spoken: readonly Language[],
  option = "--intervention-lang",
): Promise<LanguageIntervention[]> {
  const layers = layersOf(subject);
  const within = (features: readonly LapeFeature[]) =>
    features.filter(({ layer }) => layers.has(layer));
  const codes = new Map([...LANGUAGES, ...spoken].map(({ name, code }) => [name, code]));
  const asked = options.interventionLang?.map((code) => ({ code, name: languageOf(code).name })) ??
    result.languages
      .filter((_, g) => within(result.features[g]).length > 0)
      .map((name) => ({ code: codes.get(name) ?? encodeURIComponent(name), name }));
  if (asked.length === 0) {
    throw new InputError(
      `${path} has no feature in ${[...layers].map((layer) => `layer ${layer}`).join(", ")}: ` +
        `give another --layer, or find features with identify.`,
    );
  }
  const interventions: LanguageIntervention[] = [];
  for (const { code, name } of asked) {
    const place = result.languages.indexOf(name);
    const features = within(result.features[place] ?? []);
    if (features.length === 0) {
      throw new InputError(
        `${option} ${code}: ${path} has no features of ${name} in the layers that are ` +
          `changed; leave it out, or find features with identify.`,
      );
    }
    const edits = (list: readonly LapeFeature[]) => editsOf(options, subject, list);
    const controls: Edit[][] = [];
    for (let draw = 0; draw < options.control; draw++) {
      const width = (layer: number) => layers.get(layer) ?? 0;
      controls.push(await edits(randomControl(features, width, options.seed, place, draw)));
    }
    interventions.push({
      ...{ code, name, features: features.length },
      ...{ edits: await edits(features), controls },
    });
  }
  return interventions;
}

/** How many latents or neurons each layer has that can be changed. */
function layersOf({ targets, config, kind }: Subject): Map<number, number> {
  const layers = new Map<number, number>();
  for (const { hookpoint, sae } of targets) {
    if (layers.has(hookpoint.layer)) {
      throw new InputError(
        `--layer names two hookpoints of layer ${hookpoint.layer}, but a LAPE file's features are ` +
          `known by their layer alone: name the one that they are of.`,
      );
    }
    layers.set(hookpoint.layer, kind === "latents" ? sae?.latents ?? 0 : config.mlpSize);
  }
  return layers;
}

async function editsOf(
  options: InterventionOptions,
  { targets, config }: Subject,
  features: readonly LapeFeature[],
): Promise<Edit[]> {
  const value = LAPE_VALUES[options.lapeValueType];
  if (options.interventionType === "sae-features") {
    return await saeEdits(targets, features, { value, multiplier: options.multiplier });
  }
  const steering = {
    method: options.neuronInterventionMethod,
    value: options.value,
    valueType: value,
  };
  const hookpoints = targets.map(({ hookpoint }) => hookpoint);
  return neuronEdits(hookpoints, features, steering, config.mlpSize);
}
