import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { createIndex } from "./schema.ts";
import { folded, searchPatterns } from "./words.ts";

/** The rows that a search finds, by the index's own table. */
function found(database: DatabaseSync, typed: string): number[] {
  const patterns = searchPatterns(typed);
  const where = patterns.map(() => "text LIKE ? ESCAPE '\\'").join(" AND ") || "1";
  return database.prepare(`SELECT rowid AS id FROM words WHERE ${where} ORDER BY rowid`)
    .all(...patterns).map(({ id }) => Number(id));
}

Deno.test("searches find parts of words in any script and case", () => {
  using database = createIndex(":memory:");
  const insert = database.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)");
  const texts = [
    "Die Würde des Menschen",
    "ทุกคนมีสิทธิ",
    "सभी मनुष्यों को अधिकार",
    "人人生而自由 人权",
    "Свобода и РАВЕНСТВО",
    "الناس أحرار",
    "100 % of a_b \\ \"quoted\" 'x'",
    "\ud800 lone \0 nul",
  ];
  texts.forEach((text, id) => insert.run(id, folded(text)));
  const expected: readonly (readonly [string, number[]])[] = [
    ["würde", [0]],
    ["WÜRDE menschen", [0]],
    ["würde нет", []],
    ["wu\u0308rde", [0]],
    ["สิท", [1]],
    ["मनुष्य", [2]],
    ["人权", [3]],
    ["权", [3]],
    ["равен", [4]],
    ["أحرار", [5]],
    ["%", [6]],
    ["a_b", [6]],
    ["aXb", []],
    ["\\", [6]],
    ['"quoted"', [6]],
    ["'x'", [6]],
    ["nul", [7]],
    ["lone", [7]],
    ["' OR 1=1 --", []],
  ];
  for (const [typed, ids] of expected) assert.deepEqual(found(database, typed), ids, typed);
});

Deno.test("nothing typed asks for nothing, and endless text for little", () => {
  assert.deepEqual(searchPatterns(" \n "), []);
  assert.equal(searchPatterns("a ".repeat(1000)).length, 8);
});
