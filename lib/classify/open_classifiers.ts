/** From options to classifiers: the features and means they use, at the hookpoints they look at. */
import { basename, dirname, join } from "node:path";
import { DIFFMEAN_FILE, readDiffMean } from "../data/diffmean_files.ts";
import { isFile } from "../data/file_tree.ts";
import { sha256File } from "../data/files.ts";
import { InputError } from "../formats/input_error.ts";
import { type IdentifiedFeatures, identifiedFeatures } from "../identify/lape_result.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Target } from "../sae/target.ts";
import type { Subject } from "../subject/subject.ts";
import type { ModelClassifierName } from "./classifiers.ts";
import { diffMeanDirections } from "./diffmean.ts";
import { featureClassifier } from "./feature_classifier.ts";
import type { ModelClassifiers } from "./model_scores.ts";
import type { ClassifyOptions } from "./options.ts";

/** Hookpoints of all neurons. */
export const ALL_NEURONS = ["layers.*.mlp.act_fn"];

/** Classifiers, and the files they were made from. */
export interface OpenClassifiers extends ModelClassifiers {
  /** For run.json. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** Whether any of the classifiers looks at what SAEs look at. */
export function looksAtSaes(names: readonly ModelClassifierName[]): boolean {
  return names.some((name) => name !== "neuron-count");
}

/**
 * Opens what the named classifiers need; features that are not there are identified first.
 *
 * @throws InputError for files that cannot be used, or do not fit the model
 */
export async function openClassifiers(
  names: readonly ModelClassifierName[],
  subject: Subject,
  options: ClassifyOptions,
): Promise<OpenClassifiers> {
  checkHookpoints(names, subject);
  const neurons = names.includes("neuron-count")
    ? await openNeurons(subject, options, looksAtSaes(names))
    : undefined;
  const features = looksAtSaes(names) ? await identifiedFeatures(options, "latents") : undefined;
  const latents = names.includes("sae-count") || names.includes("sae-min-max")
    ? featureClassifier(features!.result, subject.targets, subject.config.mlpSize, features!.path)
    : undefined;
  const diffmean = names.includes("diffmean") ? await openDiffMean(subject, features!) : undefined;
  return {
    latents,
    neurons: neurons?.classifier,
    diffmean: diffmean?.classifier,
    files: [features, neurons?.features, diffmean].filter((file) => file !== undefined)
      .map(({ path, sha256 }) => ({ path, sha256 })),
  };
}

function checkHookpoints(names: readonly ModelClassifierName[], { kind, targets }: Subject): void {
  const expected = looksAtSaes(names) ? "latents" : "neurons";
  if (kind === expected) return;
  const [name] = names.filter((name) => (name === "neuron-count") === (expected === "neurons"));
  throw new InputError(
    `--layer names ${targets[0].hookpoint.name}, but ${name} looks at ` +
      (expected === "neurons"
        ? "neurons: expected layers.N.mlp.act_fn; correct it or leave it out."
        : "what SAEs look at: expected layers.N.mlp or layers.N; neuron-count takes the neurons of " +
          "the same layers."),
  );
}

async function openNeurons(
  { kind, targets, config }: Subject,
  options: ClassifyOptions,
  besideSaes: boolean,
) {
  const own = options.neuronLapeResultPath ?? (besideSaes ? undefined : options.lapeResultPath);
  const features = await identifiedFeatures({ ...options, lapeResultPath: own }, "neurons");
  const names = options.layer
    ? targets.map(({ hookpoint }) => `layers.${hookpoint.layer}.mlp.act_fn`)
    : ALL_NEURONS;
  const neurons: readonly Target[] = kind === "neurons"
    ? targets
    : resolveHookpoints(names, config.layers).map((hookpoint) => ({ hookpoint }));
  const classifier = featureClassifier(features.result, neurons, config.mlpSize, features.path);
  return { features, classifier };
}

async function openDiffMean({ targets }: Subject, features: IdentifiedFeatures) {
  const path = join(dirname(features.path), DIFFMEAN_FILE);
  if (!await isFile(path)) {
    throw new InputError(
      `There is no ${path}, which identify writes beside ${
        basename(features.path)
      }: identify again, ` +
        `or leave out diffmean.`,
    );
  }
  const diff = await readDiffMean(path);
  const found = diff.layers.map((layer) =>
    targets.find(({ hookpoint }) => hookpoint.layer === layer)
  );
  const fits = found.every((target) => target && (target.sae?.inputSize ?? -1) === diff.width);
  if (!fits) {
    throw new InputError(
      `${path} has means of ${diff.width} values at layers ${
        diff.layers.join(", ")
      }, which are not ` +
        `those of the hookpoints ${
          targets.map(({ hookpoint }) => hookpoint.name).join(", ")
        }: name ` +
        `the model, SAEs and layers that it was made with.`,
    );
  }
  const hookpoints = found.map((target) => target!.hookpoint);
  const { languages } = diff;
  const classifier = { languages, hookpoints, directions: diffMeanDirections(diff) };
  return { classifier, path, sha256: await sha256File(path) };
}
