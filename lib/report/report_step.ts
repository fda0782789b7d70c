/** The step `report`. */
import { join, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { print, remark } from "../cli/output.ts";
import { isFolder } from "../data/file_tree.ts";
import { listFolder } from "../data/files.ts";
import { CLAIM, claimFolder } from "../data/folder_claim.ts";
import { codeHash, timesSince, versions, writeManifest } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import {
  FIGURE_FORMATS,
  type FigureFormat,
  fontRemark,
  writeFigures,
  type WrittenFigures,
} from "./figure_files.ts";
import { countText, quantityText } from "./numbers.ts";
import { writeReport, type WrittenReport } from "./write_report.ts";

/** What the options are parsed to. */
export interface ReportOptions {
  readonly outDir: string;
  readonly figures?: readonly FigureFormat[];
  readonly maps: boolean;
}

/** Folder of the static figures within the results. */
const FIGURES = "figures";
/** What report says of its run; run.json is that of the step whose results are shown. */
const MANIFEST = "report.json";

/** Parses `svg,png`. */
export function formatList(text: string): FigureFormat[] {
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  return names.map((name) => {
    const known = FIGURE_FORMATS.find((format) => format === name);
    if (known !== undefined) return known;
    throw new InvalidArgumentError(
      `expected ${FIGURE_FORMATS.join(", ")} or several of them, as svg,png, got ${
        JSON.stringify(text)
      }.`,
    );
  });
}

/**
 * Does what the options say.
 *
 * @throws InputError for results that cannot be read, or a folder in which another run works
 */
export async function runReport(options: ReportOptions): Promise<void> {
  const started = new Date();
  const folder = resolve(options.outDir);
  using _claim = await claimFolder(folder);
  const progress = (layer: number) => remark(`mapping the decoder directions of layer ${layer}`);
  const report = await written(folder, options.maps, progress);
  const formats = options.figures ?? [];
  const files = formats.length > 0
    ? await writeFigures(report.figures, join(folder, FIGURES), formats)
    : undefined;
  await writeManifest(join(folder, MANIFEST), {
    step: "report",
    options,
    runs: report.runs,
    figures: report.figures.map(({ id }) => id),
    bytes: report.bytes,
    code: { sha256: await codeHash(["lib/report", "lib/figures"]) },
    versions: versions(),
    ...timesSince(started),
  });
  say(folder, report, files);
}

/** SAEs that are gone take only their maps away. */
async function written(
  folder: string,
  maps: boolean,
  progress: (layer: number) => void,
): Promise<WrittenReport> {
  if (!maps) return await writeReport(folder);
  try {
    return await writeReport(folder, { maps, progress });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const report = await writeReport(folder); // throws again what is not about the SAEs
    remark(`There are no maps of decoder directions: ${error.message}`);
    return report;
  }
}

/** Whether no step has written to a folder yet. */
export async function isEmpty(folder: string): Promise<boolean> {
  if (!await isFolder(folder)) return true;
  return (await listFolder(folder)).every((name) => name === CLAIM);
}

function say(
  folder: string,
  { path, bytes, figures }: WrittenReport,
  files: WrittenFigures | undefined,
): void {
  const size = `${countText(Math.ceil(bytes / 1024))} KiB`;
  print(`${path} has ${quantityText(figures.length, "figure")} in ${size}; open it in a browser`);
  if (files === undefined) return;
  print(`${join(folder, FIGURES)} has ${quantityText(files.files.length, "file")}`);
  const fonts = fontRemark(files);
  if (fonts !== undefined) remark(fonts);
}
