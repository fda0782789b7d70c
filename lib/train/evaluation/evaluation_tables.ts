/** What `evaluate-sae` prints. */
import { table } from "../../cli/table.ts";
import type { Report } from "./evaluation_files.ts";

/** A row per SAE: figures on all texts. */
export function figuresTable(reports: readonly Report[]): string {
  const spliced = reports.some(({ all }) => all.ce_original !== null);
  const headers = [
    ...["hookpoint", "FVU", "L0", "dead %"],
    ...(spliced ? ["CE", "with SAE", "zeroed", "CE recovered", "KL with SAE", "KL recovered"] : []),
  ];
  return numbers(
    headers,
    reports.map(({ hookpoint, all }) => [
      ...[hookpoint, fixed(all.fvu), fixed(all.l0, 1), fixed(100 * all.dead_share, 2)],
      ...(spliced
        ? [
          ...[all.ce_original, all.ce_sae, all.ce_zero].map((value) => fixed(value, 3)),
          fixed(all.ce_recovered_zero, 3),
          fixed(all.kl_sae, 4),
          fixed(all.kl_recovered_zero, 3),
        ]
        : []),
    ]),
  );
}

/** A row per language: the FVU of each SAE. */
export function fvuTable(reports: readonly Report[]): string {
  const [{ languages }] = reports;
  return numbers(
    ["language", ...reports.map(({ hookpoint }) => hookpoint)],
    languages.map(({ language }, i) => [
      language,
      ...reports.map((report) => fixed(report.languages[i].fvu)),
    ]),
  );
}

function numbers(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  return table(
    headers.map((header, i) => ({ header, align: i === 0 ? "left" : "right" })),
    rows,
  );
}

function fixed(value: number | null, digits = 4): string {
  return value === null ? "" : value.toFixed(digits);
}
