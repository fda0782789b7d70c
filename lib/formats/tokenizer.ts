/**
 * Tokens of a text and texts of tokens, from the `tokenizer.json` of a model (BPE, byte level as in
 * Llama 3 or with byte fallback as in Llama 2). Splitting is the work of `@huggingface/tokenizers`;
 * this file adds what the pipeline relies on: a BOS in front, and the exact bytes of each token.
 */

import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { InputError } from "./input_error.ts";

/** A loaded tokenizer. */
export interface Tokenizer {
  /** Id of the beginning-of-text token, if the model has one. */
  readonly bosId: number | undefined;
  /** Text of the end-of-sequence token, as tokenizer_config.json names it. */
  readonly eosToken: string | undefined;
  /** Most tokens of an input, as tokenizer_config.json has it; Infinity where it sets no bound. */
  readonly modelMaxLength: number;
  /**
   * True where Hugging Face's decode takes spaces before punctuation away, as tokenizer_config.json may
   * have it (`clean_up_tokenization_spaces`); {@linkcode decode} here never does.
   */
  readonly cleansUpSpaces: boolean;
  /** One past the largest token id. */
  readonly vocabSize: number;
  /**
   * Token ids of a text, read as it is: no padding, no truncation; in front and at the end what the
   * tokenizer's files say, which for a Llama is BOS in front and nothing at the end (spec section 1).
   */
  encode(text: string): Uint32Array<ArrayBuffer>;
  /** Text of the tokens, special ones included; bytes that are not UTF-8 become U+FFFD. */
  decode(ids: Iterable<number>): string;
  /** The bytes that a token stands for: part of a character, if it is split over tokens. */
  tokenText(id: number): Uint8Array<ArrayBuffer>;
  /**
   * Text of each token, such that joined they are `decode(ids)`. A character split over several
   * tokens belongs to the first of them; the others then have less text, or none.
   */
  decodePieces(ids: Iterable<number>): string[];
}

/** What the model, rather than the tokenizer's files, knows. */
export interface TokenizerOptions {
  /** BOS id of the model's config.json, used when the tokenizer's files name no BOS. */
  bosId?: number;
}

/** Token ids are below this; the largest vocabularies have a million. The library makes a list of all. */
const MAX_TOKENS = 2 ** 22;

/** The parts of tokenizer.json that are used here. */
interface TokenizerFile {
  readonly model?: { readonly vocab?: unknown } | null;
  readonly added_tokens?: unknown;
  readonly decoder: DecoderConfig | null;
}

interface DecoderConfig {
  readonly type: string;
  readonly decoders?: readonly DecoderConfig[];
  readonly add_prefix_space?: boolean;
  readonly prepend_scheme?: string;
  readonly start?: number;
}

/** A step of the pre-tokenizer, or a sequence of them. */
interface CuttingStep {
  readonly type: string;
  readonly individual_digits?: boolean;
  readonly pretokenizers?: readonly CuttingStep[];
  readonly [parameter: string]: unknown;
}

interface TokenizerConfig {
  readonly bos_token?: SpecialToken;
  readonly eos_token?: SpecialToken;
  readonly add_bos_token?: boolean;
  readonly model_max_length?: unknown;
  readonly clean_up_tokenization_spaces?: unknown;
}

type SpecialToken = string | { readonly content?: unknown } | null;

/**
 * Loads a tokenizer.
 *
 * @param tokenizerJson text of tokenizer.json
 * @param configJson text of tokenizer_config.json, if there is one
 * @param where names tokenizer.json in messages
 * @throws InputError when a text is not JSON or describes no tokenizer that can be used
 */
export function loadTokenizer(
  tokenizerJson: string,
  configJson: string | undefined,
  where: string,
  options: TokenizerOptions = {},
): Tokenizer {
  const file = parseObject(tokenizerJson, where) as TokenizerFile;
  checkIds(file, where);
  const config: TokenizerConfig = parseObject(
    configJson ?? "{}",
    `${where}'s tokenizer_config.json`,
  );
  const { inner, bos, bytesOf, dropsFirstSpace } = guarded(where, () => {
    const inner = construct(file, config);
    return {
      inner,
      bos: bosRule(inner, config, options),
      bytesOf: tokenBytes(inner, file.decoder),
      dropsFirstSpace: stripsLeadingSpace(file.decoder),
    };
  });

  const decodePieces = (ids: Iterable<number>): string[] => {
    const pieces = wholeCharacters(Array.from(ids, bytesOf)).map(utf8Text);
    if (dropsFirstSpace && pieces[0]?.startsWith(" ")) pieces[0] = pieces[0].slice(1);
    return pieces;
  };
  return {
    bosId: bos.id,
    eosToken: contentOf(config.eos_token),
    modelMaxLength: lengthBound(config.model_max_length),
    cleansUpSpaces: config.clean_up_tokenization_spaces === true,
    vocabSize: 1 + maximum(inner.get_vocab().values()),
    encode(text) {
      const { ids } = guarded(where, () => inner.encode(text, { add_special_tokens: !bos.drop }));
      if (ids.includes(undefined as unknown as number)) {
        throw new InputError(
          `${where} has no token for a part of ${JSON.stringify(text.slice(0, 40))}: ` +
            `expected a vocabulary that covers all bytes or has an unknown token.`,
        );
      }
      return Uint32Array.from(bos.prepend ? [bos.id!, ...ids] : ids);
    },
    decode: (ids) => decodePieces(ids).join(""),
    tokenText: bytesOf,
    decodePieces,
  };
}

function parseObject(json: string, where: string): object {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw unusable(where, (error as Error).message);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unusable(where, "it is not a JSON object");
  }
  return value;
}

/** Ids of the vocabulary, by token as BPE has it, and of added tokens. */
function checkIds({ model, added_tokens: added = [] }: TokenizerFile, where: string): void {
  const vocabulary = model?.vocab;
  if (typeof vocabulary !== "object" || vocabulary === null || Array.isArray(vocabulary)) {
    throw unusable(where, "its model has no vocabulary of tokens and ids");
  }
  if (!Array.isArray(added)) throw unusable(where, "its added_tokens are no list");
  const addedIds = added.map((token): unknown => token?.id);
  for (const id of [Object.values(vocabulary), addedIds].flat()) {
    if (Number.isInteger(id) && 0 <= id && id < MAX_TOKENS) continue;
    const found = typeof id === "number" ? id : typeof id;
    throw unusable(where, `it has the token id ${found}, not a whole number below ${MAX_TOKENS}`);
  }
}

/** The library checks little of the file; whatever it trips over is a fault of the file. */
function guarded<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw unusable(where, (error as Error).message);
  }
}

function construct(file: object, config: object): HuggingFaceTokenizer {
  const inner = new HuggingFaceTokenizer(withAllDigits({ added_tokens: [], ...file }), config);
  inner.encode("a");
  return inner;
}

/**
 * The same tokenizer with its "Digits" steps written as splits: the reference implementation means
 * all numbers of Unicode by them, this library's own step knows 0 to 9 only.
 */
function withAllDigits(file: object): object {
  const { pre_tokenizer: cutting } = file as { pre_tokenizer?: CuttingStep | null };
  if (!cutting) return file;
  const split = (step: CuttingStep): CuttingStep => {
    if (step?.type === "Digits") {
      const Regex = step.individual_digits ? "\\p{N}" : "\\p{N}+";
      return { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
    }
    return Array.isArray(step?.pretokenizers)
      ? { ...step, pretokenizers: step.pretokenizers.map(split) }
      : step;
  };
  return { ...file, pre_tokenizer: split(cutting) };
}

function unusable(where: string, why: string): InputError {
  return new InputError(
    `${where} is not a usable tokenizer (${why.replace(/\.$/, "")}): expected the tokenizer.json ` +
      `that belongs to the model; fetch it again.`,
  );
}

interface BosRule {
  readonly id: number | undefined;
  /** BOS has to be put in front of what the file's post-processor gives. */
  readonly prepend: boolean;
  /** The post-processor's BOS is not wanted. */
  readonly drop: boolean;
}

function bosRule(
  inner: HuggingFaceTokenizer,
  config: TokenizerConfig,
  options: TokenizerOptions,
): BosRule {
  const token = contentOf(config.bos_token);
  const named = token === undefined ? undefined : inner.token_to_id(token);
  const [first] = inner.encode("a").ids;
  const [bare] = inner.encode("a", { add_special_tokens: false }).ids;
  const id = named ?? options.bosId ?? (first === bare ? undefined : first);
  const adds = id !== undefined && first === id;
  const wanted = config.add_bos_token ?? adds;
  return { id, prepend: wanted && !adds && id !== undefined, drop: adds && !wanted };
}

function contentOf(token: SpecialToken | undefined): string | undefined {
  const content = typeof token === "object" ? token?.content : token;
  return typeof content === "string" ? content : undefined;
}

/** transformers writes 1e30 for "no bound". */
function lengthBound(value: unknown): number {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : Infinity;
}

/** The bytes of one token, by its id. */
function tokenBytes(
  inner: HuggingFaceTokenizer,
  decoder: DecoderConfig | null,
): (id: number) => Uint8Array<ArrayBuffer> {
  const added = inner.get_added_tokens_decoder();
  const byteLevel = decoderSteps(decoder).some(({ type }) => type === "ByteLevel");
  const bytesOfPiece = byteLevel ? byteLevelBytes : sentencePieceBytes;
  return (id) => {
    const piece = inner.id_to_token(id);
    if (piece === undefined) throw new RangeError(`there is no token ${id}`);
    return added.has(id) ? utf8Bytes(piece) : bytesOfPiece(piece);
  };
}

function decoderSteps(decoder: DecoderConfig | null): readonly DecoderConfig[] {
  return decoder?.decoders ?? (decoder ? [decoder] : []);
}

/** SentencePiece models put a space before the text; their decoders take it away again. */
function stripsLeadingSpace(decoder: DecoderConfig | null): boolean {
  return decoderSteps(decoder).some((step) =>
    (step.type === "Strip" && (step.start ?? 0) > 0) ||
    (step.type === "Metaspace" && step.add_prefix_space !== false &&
      step.prepend_scheme !== "never")
  );
}

const BYTE_OF_CHARACTER = byteLevelAlphabet();

/**
 * Byte-level BPE writes each byte as a printable character: itself where it is one, else the next
 * unused code point from U+0100 (the table of GPT-2).
 */
function byteLevelAlphabet(): Map<string, number> {
  const alphabet = new Map<string, number>();
  let unprintable = 0x100;
  for (let byte = 0; byte < 0x100; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    alphabet.set(String.fromCodePoint(printable ? byte : unprintable++), byte);
  }
  return alphabet;
}

function byteLevelBytes(piece: string): Uint8Array<ArrayBuffer> {
  const bytes = Array.from(piece, (character) => BYTE_OF_CHARACTER.get(character));
  // a token outside the alphabet stands for itself, as in the reference implementation
  return bytes.includes(undefined) ? utf8Bytes(piece) : Uint8Array.from(bytes as number[]);
}

function sentencePieceBytes(piece: string): Uint8Array<ArrayBuffer> {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(piece);
  return byte ? Uint8Array.of(parseInt(byte[1], 16)) : utf8Bytes(piece.replaceAll("\u2581", " "));
}

/**
 * The same bytes cut so that a character split over several tokens lies whole in the first of them.
 */
function wholeCharacters(tokens: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer>[] {
  const pieces = [...tokens];
  let open = 0;
  let missing = 0;
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    let taken = 0;
    while (taken < missing && isContinuation(token[taken])) taken++;
    pieces[open] = concat(pieces[open], token.subarray(0, taken));
    if (taken > 0) pieces[at] = token.subarray(taken);
    missing -= taken;
    if (taken < token.length) {
      open = at;
      missing = missingBytes(pieces[at]);
    }
  }
  return pieces;
}

/** Bytes that the last character of `bytes` still needs. */
function missingBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (!isContinuation(byte)) return Math.max(0, characterLength(byte) - back);
  }
  return 0;
}

function characterLength(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function concat(
  a: Uint8Array<ArrayBuffer>,
  b: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (b.length === 0) return a;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function utf8Text(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

function maximum(values: Iterable<number>): number {
  let largest = -1;
  for (const value of values) largest = Math.max(largest, value);
  return largest;
}
