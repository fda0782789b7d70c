/** What the results are about, as the first page says it. */
import { describeSpec } from "../../data/dataset_configs.ts";
import type { Overview } from "../backend.ts";
import type { IndexSources } from "./build_index.ts";
import { articleTitle, type IndexText } from "./index_texts.ts";

/** The overview, without whether the model can be run. */
export function overviewOf(
  { results, counts, corpora, session: { subject } }: IndexSources,
  texts: readonly IndexText[],
): Omit<Overview, "live"> {
  const { manifest, features: { result, path } } = results;
  const { pooled, languages } = counts;
  const articles = new Set(texts.flatMap(({ article }) => article ?? []));
  return {
    model: subject.modelName,
    sae: subject.saeName ?? "",
    corpus: [...new Set(corpora.map(({ spec }) => spec.name))].join(", "),
    languages: languages.map(({ name, code, direction }, g) => {
      const own = result.features[result.languages.indexOf(name)] ?? [];
      return {
        name,
        code: bcp47(code),
        direction,
        tokens: pooled.byLanguage[g].tokens,
        texts: pooled.byLanguage[g].examples,
        features: own.length,
        featuresPerLayer: pooled.layers.map((layer) =>
          own.filter((feature) => feature.layer === layer).length
        ),
      };
    }),
    layers: pooled.layers.map((layer) => ({
      layer,
      hookpoint:
        subject.targets.find(({ hookpoint }) => hookpoint.layer === layer)?.hookpoint.name ??
          `layers.${layer}`,
      latents: pooled.width,
    })),
    articles: articles.size > 1
      ? [...articles].sort((a, b) => Number(a) - Number(b))
        .map((id) => ({ id, title: articleTitle(id) }))
      : [],
    provenance: [
      ["features", path],
      ["identified", manifest.started],
      ["texts", corpora.map(({ spec }) => describeSpec(spec)).join(" ")],
      ...Object.entries(manifest.model.sha256).map(([name, hash]) =>
        [`model ${name}`, hash] as const
      ),
      ...Object.entries(manifest.saes.sha256).map(([name, hash]) => [`SAE ${name}`, hash] as const),
    ],
  };
}

/** A code as browsers know it: `eng_Latn` is `eng-Latn`. */
function bcp47(code: string): string {
  return code.replaceAll("_", "-");
}
