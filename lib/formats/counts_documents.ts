/** Groups of documents in a file of counts: four U32 tensors, and the labels in the metadata. */

import { z } from "zod";
import type { DocumentCounts } from "./counts.ts";
import { bad, type CountsFile, readU32 } from "./counts_tensors.ts";
import type { Tensor } from "./safetensors.ts";
import { tensorInfo } from "./tensor_source.ts";

/** Metadata key of the labels, a JSON array; a file with it has the tensors. */
export const LABELS = "document_labels";
const TOKENS = "document_tokens";
const OFFSETS = "document_offsets";
const UNITS = "document_units";
const FIRED_TOKENS = "document_over_zero_token";

const Labels = z.array(z.string());

/** The tensors of the groups, named as the file has them. */
export function documentTensors(
  { tokens, offsets, units, firedTokens }: DocumentCounts,
): Record<string, Tensor> {
  const u32 = (data: Uint32Array): Tensor => ({ dtype: "U32", shape: [data.length], data });
  return {
    [TOKENS]: u32(tokens),
    [OFFSETS]: u32(offsets),
    [UNITS]: u32(units),
    [FIRED_TOKENS]: u32(firedTokens),
  };
}

/**
 * The groups of a file that has labels of groups.
 *
 * @throws InputError when they are not as `DocumentCounts` says
 */
export function readDocuments(file: CountsFile): DocumentCounts {
  const { header, where, shape: [rows, width] } = file;
  const labels = readLabels(file);
  const entries = tensorInfo(header.tensors, UNITS, where).shape;
  if (entries.length !== 1) throw bad(where, `${UNITS} has shape [${entries}], not one size`);
  const documents = {
    labels,
    tokens: readU32(file, TOKENS, [labels.length]),
    offsets: readU32(file, OFFSETS, [labels.length + 1]),
    units: readU32(file, UNITS, entries),
    firedTokens: readU32(file, FIRED_TOKENS, entries),
  };
  const fault = faultOf(documents, rows * width);
  if (fault) throw bad(where, fault);
  return documents;
}

function readLabels({ header, where }: CountsFile): string[] {
  try {
    return Labels.parse(JSON.parse(header.metadata[LABELS]));
  } catch {
    throw bad(where, `its metadata has ${LABELS} that are no list of strings`);
  }
}

/** What is not as `DocumentCounts` says, if anything. */
function faultOf(
  { labels, tokens, offsets, units, firedTokens }: DocumentCounts,
  size: number,
): string | undefined {
  if (labels.some((label, group) => group > 0 && label <= labels[group - 1])) {
    return `its ${LABELS} do not ascend`;
  }
  if (tokens.includes(0)) return `${TOKENS} holds a group without tokens`;
  const rising = offsets.every((offset, i) => i === 0 ? offset === 0 : offset >= offsets[i - 1]);
  if (!rising || offsets[labels.length] !== units.length) {
    return `${OFFSETS} do not rise from 0 to its ${units.length} entries`;
  }
  for (let group = 0; group < labels.length; group++) {
    let next = 0;
    for (let entry = offsets[group]; entry < offsets[group + 1]; entry++) {
      if (units[entry] < next || units[entry] >= size) {
        return `${UNITS} are not ascending numbers below ${size} in group ${labels[group]}`;
      }
      if (firedTokens[entry] === 0 || firedTokens[entry] > tokens[group]) {
        return `${FIRED_TOKENS} holds a number that is not between 1 and the tokens of its group`;
      }
      next = units[entry] + 1;
    }
  }
  return undefined;
}
