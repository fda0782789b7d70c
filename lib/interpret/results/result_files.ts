/** Where the step's results lie: the originals' layout (spec train-and-interpret B.1). */
import { join } from "node:path";
import { readJson, writeAtomic } from "../../data/files.ts";
import type { LatentName } from "../example.ts";
import type { ControlName } from "../metrics/controls.ts";

/** Whose explanations and scores: of identified latents, or of a control. */
export type Group = "identified" | ControlName;

/** Folder of a group: identified latents have the originals' place, controls one beside it. */
export function groupFolder(folder: string, group: Group): string {
  return group === "identified" ? folder : join(folder, "controls", group);
}

/** Name of a latent's files, without their ending: `layers.3.mlp_latent17`. */
export function latentStem({ hookpoint, index }: LatentName): string {
  return `${hookpoint}_latent${index}`;
}

/** `explanations/<hookpoint>_latent<i>.txt`: a JSON string. */
export function explanationPath(folder: string, group: Group, latent: LatentName): string {
  return join(groupFolder(folder, group), "explanations", `${latentStem(latent)}.txt`);
}

/** `prompts/<hookpoint>_latent<i>.json`: a JSON string, the last message to the explainer. */
export function promptPath(folder: string, group: Group, latent: LatentName): string {
  return join(groupFolder(folder, group), "prompts", `${latentStem(latent)}.json`);
}

/** `scores/<scorer>/<hookpoint>_latent<i>.txt`: a JSON list (B.8). */
export function scorePath(
  folder: string,
  group: Group,
  scorer: string,
  latent: LatentName,
): string {
  return join(groupFolder(folder, group), "scores", scorer, `${latentStem(latent)}.txt`);
}

/** Writes a value as the originals do: JSON in one line, without a line end. */
export async function writeValue(path: string, value: unknown): Promise<void> {
  await writeAtomic(path, JSON.stringify(value));
}

/**
 * The text of a file that holds a JSON string; undefined where there is none or it is damaged.
 */
export async function readStoredText(path: string): Promise<string | undefined> {
  const value = await readJson(path).catch(() => undefined);
  return typeof value === "string" ? value : undefined;
}
