/** A folder of results → its report.html. */
import { join } from "node:path";
import { remark } from "../cli/output.ts";
import { sha256File, writeAtomic } from "../data/files.ts";
import { InputError } from "../formats/input_error.ts";
import type { Figure } from "../figures/figure.ts";
import { drawFigures } from "./draw_figures.ts";
import { packFigures } from "./figure_pack.ts";
import { type FigureOptions, readFigures } from "./figure_sources.ts";
import { pageScript } from "./page_script.ts";
import { readReport } from "./read_report.ts";
import { renderReport } from "./render_report.ts";
import type { PageScript } from "./report_page.ts";

/** Name of the page within the folder. */
export const REPORT_FILE = "report.html";

/** A page that was written. */
export interface WrittenReport {
  readonly path: string;
  readonly bytes: number;
  readonly figures: readonly Figure[];
  /** What the results came from: paths of run.json files with their SHA-256. */
  readonly runs: Readonly<Record<string, string>>;
}

/**
 * Writes the page of all results in a folder, from the results alone.
 *
 * @param maps whether to open the SAEs too and map their decoder directions: seconds per layer
 * @throws InputError when there are none, a file is damaged, or the page cannot be written
 */
export async function writeReport(
  folder: string,
  maps: Pick<FigureOptions, "maps" | "progress"> = {},
): Promise<WrittenReport> {
  const read = await readReport(folder);
  const shareHistogram = read.identification?.shareHistogram;
  const figures = await readFigures(folder, { shareHistogram, ...maps });
  if (read.runs.length === 0 && figures.length === 0 && !read.identification) {
    throw new InputError(
      `${folder} has nothing that a step of babelscope has left there (no run.json, lape.json or ` +
        `metrics.jsonl); name the folder of its results with --out-dir.`,
    );
  }
  const page = { ...read, figures: drawFigures(figures) };
  const html = new TextEncoder().encode(renderReport(page, await script(figures)));
  const path = join(folder, REPORT_FILE);
  await writeAtomic(path, html);
  const runs = await Promise.all(
    read.runs.map(async (run) => [run.path, await sha256File(join(folder, run.path))] as const),
  );
  return { path, bytes: html.length, figures, runs: Object.fromEntries(runs) };
}

/** None where the bundler, which is fetched at its first use, cannot be had: the page stays readable. */
async function script(figures: readonly Figure[]): Promise<PageScript | undefined> {
  try {
    return { code: await pageScript(), figures: await packFigures(figures) };
  } catch (error) {
    const [why] = (error as Error).message.split("\n");
    remark(
      `The report can be read, but has no filters, no search and no files to save: its script could ` +
        `not be bundled (${why}); "babelscope report" makes it again.`,
    );
    return undefined;
  }
}
