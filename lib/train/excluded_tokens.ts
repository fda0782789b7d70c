/** Tokens that are not trained on, by name. */
import { InputError } from "../formats/input_error.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";

/**
 * Ids of tokens that options name: numbers, `bos`, `eos`, or `special` for both.
 *
 * @throws InputError for another name, or one that the tokenizer has no token for
 */
export function excludedTokens(
  names: readonly string[],
  tokenizer: Pick<Tokenizer, "bosId" | "eosToken" | "encode">,
): Set<number> {
  const [bos, eos] = [tokenizer.bosId, eosId(tokenizer)];
  const named = new Map([["bos", [bos]], ["eos", [eos]], ["special", [bos, eos]]]);
  return new Set(names.flatMap((name) => {
    if (/^\d+$/.test(name)) return [Number(name)];
    const ids = named.get(name);
    if (!ids) {
      throw new InputError(
        `--exclude-tokens ${name} is no token; expected ids, bos, eos or special.`,
      );
    }
    const known = ids.filter((id) => id !== undefined);
    if (known.length > 0) return known;
    throw new InputError(`--exclude-tokens ${name}: the tokenizer has no such token; name ids.`);
  }));
}

/** BOS may be in front of it. */
function eosId(tokenizer: Pick<Tokenizer, "eosToken" | "encode">): number | undefined {
  const { eosToken } = tokenizer;
  return eosToken === undefined ? undefined : tokenizer.encode(eosToken).at(-1);
}
