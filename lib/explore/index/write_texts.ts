import type { DatabaseSync } from "node:sqlite";
import type { IndexText } from "./index_texts.ts";

/** Writes the texts, numbered in their order. */
export function writeTexts(database: DatabaseSync, texts: readonly IndexText[]): void {
  const insert = database.prepare(
    "INSERT INTO texts (id, language, label, article, pieces) VALUES (?, ?, ?, ?, ?)",
  );
  texts.forEach(({ language, label, article, pieces }, id) =>
    insert.run(id, language, label, article ?? null, JSON.stringify(pieces))
  );
}
