/** The paper's four data sets: what their rows' texts are (spec section 1). */

import { basename } from "node:path";
import { spellingsOf } from "./languages.ts";
import { parsePromptTemplate, type Prompt } from "./prompts.ts";

/** A data set whose columns are known. */
export interface PaperDataset {
  /** `owner/name` on the hub. */
  readonly id: string;
  readonly prompt: Prompt;
  /** Where all languages share the files: the column that tells them apart. */
  readonly label?: {
    readonly column: string;
    /** What it says for the language of a code. */
    values(code: string): string[];
  };
}

const PAPER_DATASETS: readonly PaperDataset[] = [
  { id: "facebook/xnli", prompt: parsePromptTemplate("{premise} {hypothesis}") },
  { id: "google-research-datasets/paws-x", prompt: parsePromptTemplate("{sentence1}") },
  { id: "openlanguagedata/flores_plus", prompt: parsePromptTemplate("{text}") },
  {
    id: "MartinThoma/wili_2018",
    prompt: parsePromptTemplate("{sentence}"),
    label: { column: "label", values: wiliLabels },
  },
];

/** `als` and `sqi` are one language's codes, but two of the 235 labels. */
function wiliLabels(code: string): string[] {
  return code === "als" ? ["als"] : spellingsOf(code).filter((label) => label !== "als");
}

/** The data set that `owner/name` names, at whatever revision. */
export function paperDataset(name: string): PaperDataset | undefined {
  const [id] = name.split("@");
  return PAPER_DATASETS.find((dataset) => dataset.id === id);
}

/** The data set that a folder holds by its name: `xnli`, `data/paws-x`. */
export function paperDatasetIn(folder: string): PaperDataset | undefined {
  const name = basename(folder);
  return PAPER_DATASETS.find(({ id }) => basename(id) === name);
}
