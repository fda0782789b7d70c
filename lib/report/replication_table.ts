/** A replication as a table for a terminal. */
import { table } from "../cli/table.ts";
import type { Agreement, Replication } from "../lape/replication.ts";
import { decimalText, percentText } from "./numbers.ts";

/** One line per language, then one for all: what was found again in other texts. */
export function replicationTable({ top, languages, all }: Replication): string {
  const headers = [
    ...["language", "features", "again", "both", "Jaccard", `Jaccard@${top}`],
    ...["entropy rho", "same owner"],
  ];
  const rows = [...languages, { language: "all", ...all }];
  return table(
    headers.map((header, i) => ({ header, align: i === 0 ? "left" : "right" })),
    rows.map(({ language, ...agreement }) => [language, ...cells(agreement)]),
  );
}

function cells(agreement: Agreement): string[] {
  const { first, second, both, jaccard, jaccardTop, correlation, sameOwner } = agreement;
  return [
    ...[first, second, both].map(String),
    ...[jaccard, jaccardTop, correlation].map((value) => decimalText(value, 3)),
    Number.isNaN(sameOwner) ? decimalText(NaN, 1) : percentText(sameOwner),
  ];
}
