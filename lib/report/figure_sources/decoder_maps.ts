/** Maps of decoder directions: the one kind of figure for which SAEs are opened. */
import { join } from "node:path";
import { z } from "zod";
import { Checkpoint } from "../../data/checkpoint.ts";
import { InputError } from "../../formats/input_error.ts";
import type { Figure } from "../../figures/figure.ts";
import { decoderMapFigure, LEAST_MAPPED, mappedLatents } from "../../figures/decoder_map.ts";
import { umapOf } from "../../figures/umap.ts";
import { userAccess } from "../../subject/access.ts";
import { openSubject, type Subject } from "../../subject/subject.ts";
import type { FoundFeature, FoundFeatures } from "./features.ts";
import { jsonOf } from "./result_folder.ts";

const RunRecord = z.looseObject({
  options: z.looseObject({
    model: z.string().optional(),
    saeModel: z.union([z.string(), z.array(z.string())]).optional(),
    localSaeDir: z.array(z.string()).optional(),
    layer: z.array(z.string()).optional(),
  }),
  saes: z.looseObject({ sha256: z.record(z.string(), z.string()) }).optional(),
});

/** File of places in the folder: maps that were made once are not made again. */
const KEPT = "decoder_maps.jsonl";

/** What maps are made of. */
export interface MapOptions {
  /** Explanations by `<layer>/<index>`; else those that `interpret` left in the folder. */
  readonly explanations?: ReadonlyMap<string, string>;
  /** Told before each map, which takes seconds. */
  readonly progress?: (layer: number) => void;
}

/**
 * A map of each layer that has features enough, of the SAEs that identify worked with.
 *
 * @param folder has to be claimed (folder_claim.ts): places are kept in it
 * @throws InputError where these are no longer to be had
 */
export async function decoderMaps(
  folder: string,
  { languages, features }: FoundFeatures,
  { explanations, progress }: MapOptions = {},
): Promise<Figure[]> {
  const run = await jsonOf(join(folder, "run.json"), RunRecord);
  const { model, saeModel, localSaeDir, layer: hookpoints } = run?.options ?? {};
  const saes = localSaeDir ?? (typeof saeModel === "string" ? [saeModel] : saeModel);
  using subject = await openSubject({ model, saes, hookpoints }, userAccess());
  checkSaes(folder, run?.saes?.sha256, subject);
  using kept = await Checkpoint.open<number[][]>(join(folder, KEPT), {
    places: "UMAP of cosines 1", // counted up where umap.ts places the same rows elsewhere
    saes: subject.hashes.saes,
  });
  const figures: Figure[] = [];
  for (const { hookpoint, sae } of subject.targets) {
    const own = features.filter(({ layer }) => layer === hookpoint.layer);
    const indices = [...new Set(own.map(({ index }) => index))];
    if (indices.length < LEAST_MAPPED || !sae?.decoder) continue;
    const latents = mappedLatents(indices, sae.latents);
    const key = `${hookpoint.name} ${latents.join()}`;
    const there = kept.get(key);
    if (!there) progress?.(hookpoint.layer);
    const places = there ?? umapOf(await sae.decoder.rows(latents), sae.inputSize);
    if (!there) await kept.put(key, places);
    const byIndex = Map.groupBy(own, ({ index }) => index);
    figures.push(decoderMapFigure(
      latents.flatMap((index, i) => {
        const [x, y] = places[i];
        const at = { layer: hookpoint.layer, index, x, y };
        const of = byIndex.get(index) ?? [];
        return of.length === 0 ? [at] : of.map((feature) => ({
          ...at,
          feature: describe(feature, explanations),
        }));
      }),
      { layer: hookpoint.layer, languages, total: sae.latents },
    ));
  }
  return figures;
}

/** A map of other decoder rows under the same indices would look as good, and be wrong. */
function checkSaes(
  folder: string,
  then: Readonly<Record<string, string>> | undefined,
  { hashes: { saes: now } }: Subject,
): void {
  if (!then || Object.entries(then).every(([file, hash]) => now[file] === hash)) return;
  throw new InputError(
    `the SAEs are not those that the features in ${folder} were found with; put their files back.`,
  );
}

function describe(
  { language, layer, index, entropy, probability }: FoundFeature,
  explanations?: ReadonlyMap<string, string>,
) {
  const explanation = explanations?.get(`${layer}/${index}`);
  return { language, entropy, probability, ...explanation !== undefined && { explanation } };
}
