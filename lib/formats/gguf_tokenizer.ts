/**
 * The tokenizer in a GGUF's metadata, as the tokenizer.json it was made from. A GGUF holds vocabulary
 * and merges but names the rest: how text is cut before merging is known by `tokenizer.ggml.pre` only,
 * so a name that is not known here is refused rather than guessed.
 *
 * Source: llama-vocab.cpp and convert_hf_to_gguf.py of llama.cpp; the patterns are those of the
 * models' own tokenizer.json.
 */

import type { GgufValue } from "./gguf_values.ts";
import { InputError } from "./input_error.ts";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";

/** How text is cut into pieces, each of which is merged on its own. */
interface Cutting {
  readonly steps: readonly object[];
  /** A piece that is a token is not merged from its bytes. */
  readonly ignoreMerges?: boolean;
  /** BOS goes in front unless the file says otherwise. */
  readonly addsBos?: boolean;
}

/** GPT-2's pattern is part of its byte-level step. */
const GPT2 = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
/** "Digits" of the original, which means all of Unicode's; the library's own step knows 0-9 only. */
const SINGLE_DIGITS = isolated("\\p{N}");

const LLAMA3: Cutting = {
  steps: [
    isolated(
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}" +
        "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    ),
    { ...GPT2, use_regex: false },
  ],
  ignoreMerges: true,
  addsBos: true,
};

/** By `tokenizer.ggml.pre`. */
const CUTTINGS: ReadonlyMap<string, Cutting> = new Map<string, Cutting>([
  ["gpt-2", { steps: [GPT2] }],
  ["smollm", { steps: [SINGLE_DIGITS, GPT2] }],
  ["llama-bpe", LLAMA3],
  ["llama3", LLAMA3],
  ["llama-v3", LLAMA3],
]);

/** `tokenizer.ggml.token_type` of tokens that are found in text before it is cut. */
const CONTROL = 3;
const USER_DEFINED = 4;

const PREFIX = "tokenizer.ggml.";

/** Makes a piece of every match, and of what lies between them. */
function isolated(pattern: string): object {
  return { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false };
}

/**
 * Loads the tokenizer of a GGUF.
 *
 * @param metadata of its header
 * @param where names the file in messages
 * @throws InputError when there is none, it is of a kind that is not supported, or malformed
 */
export function loadGgufTokenizer(
  metadata: ReadonlyMap<string, GgufValue>,
  where: string,
): Tokenizer {
  const fields = new TokenizerFields(metadata, where);
  const { steps, ignoreMerges = false, addsBos = false } = cuttingOf(fields);
  if (metadata.get(`${PREFIX}add_eos_token`) === true) {
    throw fields.bad("it ends every text with a token of its own, which is not supported");
  }
  const tokens = fields.strings("tokens");
  const vocabulary = new Map(tokens.map((token, id) => [token, id]));
  if (vocabulary.size < tokens.length) throw fields.bad("its tokens are not all different");
  const tokenizer = {
    added_tokens: addedTokens(tokens, fields),
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: steps },
    post_processor: null,
    decoder: { ...GPT2, add_prefix_space: true },
    model: {
      type: "BPE",
      vocab: Object.fromEntries(vocabulary),
      merges: mergesOf(vocabulary, fields),
      ignore_merges: ignoreMerges,
    },
  };
  const bosId = fields.tokenId("bos_token_id", tokens.length);
  const eosId = fields.tokenId("eos_token_id", tokens.length);
  const addsBosToken = metadata.get(`${PREFIX}add_bos_token`) ?? addsBos;
  const config = {
    bos_token: bosId === undefined ? null : tokens[bosId],
    eos_token: eosId === undefined ? null : tokens[eosId],
    add_bos_token: addsBosToken === true,
  };
  const inFile = `${where}'s tokenizer`;
  return loadTokenizer(JSON.stringify(tokenizer), JSON.stringify(config), inFile);
}

function cuttingOf(fields: TokenizerFields): Cutting {
  const model = fields.word("model");
  if (model === undefined) throw fields.bad("there is none");
  if (model !== "gpt2") {
    throw fields.bad(`it is of the kind ${JSON.stringify(model)}, but only "gpt2" is supported`);
  }
  const pre = fields.word("pre");
  const cutting = CUTTINGS.get(pre ?? "");
  if (cutting) return cutting;
  const names = [...CUTTINGS.keys()].join(", ");
  throw fields.bad(
    `it cuts texts as ${JSON.stringify(pre ?? "unnamed")}, but only ${names} are supported`,
  );
}

function addedTokens(tokens: readonly string[], fields: TokenizerFields): object[] {
  const types = fields.tokenTypes(tokens.length);
  return tokens.flatMap((content, id) => {
    if (types[id] !== CONTROL && types[id] !== USER_DEFINED) return [];
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return [{ id, content, ...plain, special: types[id] === CONTROL }];
  });
}

/** Merges as pairs of tokens: a token of a byte-level vocabulary has no space in it. */
function mergesOf(vocabulary: ReadonlyMap<string, number>, fields: TokenizerFields): string[][] {
  return fields.strings("merges").map((merge) => {
    const pair = merge.split(" ");
    const known = pair.length === 2 && vocabulary.has(pair.join("")) &&
      pair.every((part) => vocabulary.has(part));
    if (known) return pair;
    throw fields.bad(`its merge ${JSON.stringify(merge.slice(0, 80))} does not join two tokens`);
  });
}

/** The `tokenizer.ggml.*` entries of the metadata, checked. */
class TokenizerFields {
  constructor(readonly metadata: ReadonlyMap<string, GgufValue>, readonly where: string) {}

  /** A short string, or undefined. */
  word(name: string): string | undefined {
    const value = this.metadata.get(PREFIX + name);
    return typeof value === "string" ? value.slice(0, 80) : undefined;
  }

  strings(name: string): readonly string[] {
    const value = this.metadata.get(PREFIX + name);
    if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return value;
    throw this.bad(`${PREFIX}${name} is not an array of strings`);
  }

  /** One type per token. */
  tokenTypes(count: number): Int32Array {
    const value = this.metadata.get(`${PREFIX}token_type`);
    if (value instanceof Int32Array && value.length === count) return value;
    throw this.bad(`${PREFIX}token_type is not an array of ${count} integers`);
  }

  tokenId(name: string, count: number): number | undefined {
    const value = this.metadata.get(PREFIX + name);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && 0 <= value && value < count) {
      return value;
    }
    throw this.bad(`${PREFIX}${name} is not the id of one of its ${count} tokens`);
  }

  bad(what: string): InputError {
    return new InputError(
      `The tokenizer in ${this.where} cannot be used: ${what}; put the model's tokenizer.json ` +
        `beside the file.`,
    );
  }
}
