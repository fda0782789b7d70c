/** tokenizer.json of byte-level BPE and of BPE with byte fallback. */
import { loadTokenizer, type Tokenizer } from "../../../lib/formats/tokenizer.ts";
import { projectPath } from "../../support/tensors.ts";
import type { Bytes } from "../bytes.ts";
import { mutateJson } from "../json.ts";
import { jsonFiles } from "../seeds.ts";
import { type Target, WHERE } from "../target.ts";

/** tokenizer.json. */
export const tokenizer: Target = {
  name: "tokenizer",
  share: 10,
  seeds: () => Promise.resolve(seeds),
  mutate: mutateJson,
  read(bytes) {
    useTokenizer(loadTokenizer(new TextDecoder().decode(bytes), CONFIG, WHERE));
    return Promise.resolve();
  },
};

const CONFIG = JSON.stringify({ bos_token: "<s>", add_bos_token: true });
const TEXT = "Hello, wörld 12!\n 日本 \u{1f600}";

/** Texts to tokens and back. */
export function useTokenizer(tokenizer: Tokenizer): void {
  const ids = tokenizer.encode(TEXT);
  tokenizer.decode(ids);
  tokenizer.decodePieces(ids);
  for (const id of ids) tokenizer.tokenText(id);
}

const seeds: Bytes[] = jsonFiles(byteLevel(), byteFallback());

/** The demo's tokenizer with its first merges alone. */
function byteLevel(): unknown {
  const path = projectPath("assets/demo/model/tokenizer.json");
  const file = JSON.parse(Deno.readTextFileSync(path));
  const merges = file.model.merges.slice(0, 12);
  const words = Object.keys(file.model.vocab).slice(0, 256);
  for (const merge of merges) {
    words.push(typeof merge === "string" ? merge.replace(" ", "") : merge.join(""));
  }
  const vocab = Object.fromEntries(
    [...words, "<|begin_of_text|>", "<|end_of_text|>"].map((word, id) => [word, id]),
  );
  const added_tokens = file.added_tokens.map((token: { content: string }) => ({
    ...token,
    id: vocab[token.content],
  }));
  return { ...file, added_tokens, model: { ...file.model, vocab, merges } };
}

/** A tokenizer as Llama 2 has it. */
function byteFallback(): unknown {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const words = [
    "<unk>",
    "<s>",
    "</s>",
    ...bytes,
    "\u2581",
    "H",
    "e",
    "l",
    "o",
    "He",
    "ll",
    "\u2581He",
  ];
  const special = (content: string, id: number) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  return {
    version: "1.0",
    added_tokens: words.slice(0, 3).map(special),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "\u2581" },
        { type: "Replace", pattern: { String: " " }, content: "\u2581" },
      ],
    },
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "\u2581" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      merges: ["H e", "l l", "\u2581 He"],
    },
  };
}
