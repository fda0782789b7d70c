/** Top tokens as sheets: a CSV per language, one Parquet of all, and a listing. */
import { join } from "node:path";
import { table } from "../cli/table.ts";
import { type Cell, writeTable } from "../data/tables.ts";
import { nameOf } from "./located_features.ts";

/** One of a feature's top tokens. */
export interface TopToken {
  /** Qualified name of the language that owns the feature. */
  readonly language: string;
  readonly layer: number;
  readonly index: number;
  /** 1 for the largest logit. */
  readonly rank: number;
  readonly token: number;
  readonly text: string;
  readonly logit: number;
  /** What the identifier says of the text: "" where it cannot tell, undefined where none was asked. */
  readonly identified: string | undefined;
}

/**
 * Writes `<Language>.csv` and `.parquet` per language, and `top_tokens.csv` and `.parquet` with all. Where an identifier was
 * asked, `identified` is its language and `own` 1 where that is the feature's.
 */
export async function writeTopTokens(folder: string, tokens: readonly TopToken[]): Promise<void> {
  for (const [language, own] of Map.groupBy(tokens, ({ language }) => language)) {
    await writeTable(join(folder, language), columnsOf(own));
  }
  await writeTable(join(folder, "top_tokens"), columnsOf(tokens));
}

function columnsOf(tokens: readonly TopToken[]): Record<string, Cell[]> {
  const asked = tokens.some(({ identified }) => identified !== undefined);
  return {
    language: tokens.map(({ language }) => language),
    layer: tokens.map(({ layer }) => layer),
    index: tokens.map(({ index }) => index),
    rank: tokens.map(({ rank }) => rank),
    token_id: tokens.map(({ token }) => token),
    token: tokens.map(({ text }) => text),
    logit: tokens.map(({ logit }) => logit),
    ...(asked && {
      identified: tokens.map(({ identified }) => identified ?? ""),
      own: tokens.map((token) => isOwn(token) ? 1 : 0),
    }),
  };
}

function isOwn({ identified, language }: TopToken): boolean {
  return identified === language;
}

/** Per language its features and the tokens of the first; how many tokens are identified as its own. */
export function topTokenListing(tokens: readonly TopToken[]): string {
  const asked = tokens.some(({ identified }) => identified !== undefined);
  const rows = [...Map.groupBy(tokens, ({ language }) => language)].map(([language, own]) => {
    const features = new Set(own.map(nameOf));
    const [name] = features;
    const first = own.filter((token) => nameOf(token) === name).map(({ text }) => text);
    const share = `${(100 * own.filter(isOwn).length / own.length).toFixed(0)} %`;
    return [language, String(features.size), ...(asked ? [share] : []), name, first.join(" · ")];
  });
  const headers = ["language", "features", ...(asked ? ["own tokens"] : []), "first", "its tokens"];
  return table(
    headers.map((header) => ({
      header,
      align: ["features", "own tokens"].includes(header) ? "right" : "left",
      maxWidth: header === "its tokens" ? 80 : undefined,
    })),
    rows,
  );
}
