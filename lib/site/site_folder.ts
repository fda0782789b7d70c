/** The folder that a site is written into. */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { isFile } from "../data/file_tree.ts";
import { listFolder, prepareFolder, readBytes, readJson } from "../data/files.ts";
import { CLAIM } from "../data/folder_claim.ts";
import { writeManifest } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import type { HashedFiles } from "./hashed_files.ts";

/** Tells a site, also one that was not finished, from a folder of something else. */
const MANIFEST = "run.json";
const STEP = "build-site";

/** What of a site lies in its root. */
const OWN = [
  ...["index.html", "app.js", "worker.js", "style.css", "hashes.json"],
  ...["data", "model", "saes"],
];

/** Files of a site, counted as they are written. */
export class SiteFolder {
  #files = 0;
  #bytes = 0;

  private constructor(readonly path: string) {}

  /**
   * Opens a folder for a new site; what an earlier one left there goes. What its owner has put beside
   * it, `.git` or `CNAME`, stays.
   *
   * @throws InputError for a folder that has other files and no site
   */
  static async open(path: string): Promise<SiteFolder> {
    const names = await checkSiteFolder(path);
    await writeManifest(join(path, MANIFEST), { step: STEP, finished: false });
    for (const name of names) {
      if (OWN.includes(name)) await Deno.remove(join(path, name), { recursive: true });
    }
    return new SiteFolder(path);
  }

  get files(): number {
    return this.#files;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Writes a file below one of the site's own names; whether it is whole is known by the manifest,
   * which comes last.
   */
  async write(path: string, content: string | Uint8Array): Promise<void> {
    if (!OWN.includes(path.split("/")[0])) throw new RangeError(`${path} would never be removed`);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const whole = join(this.path, path);
    await Deno.mkdir(dirname(whole), { recursive: true });
    await Deno.writeFile(whole, bytes);
    this.#files++;
    this.#bytes += bytes.length;
  }

  /** Copies files into it. */
  async copy(
    files: readonly { readonly from: string; readonly to: string }[],
  ): Promise<HashedFiles> {
    const hashes: Record<string, string> = {};
    for (const { from, to } of files) {
      const bytes = await readBytes(from);
      await this.write(to, bytes);
      hashes[to] = integrity(bytes);
    }
    return hashes;
  }

  /** Says that the site is whole, and what it was made from. */
  async finish(manifest: Readonly<Record<string, unknown>>): Promise<void> {
    const { files, bytes } = this;
    await writeManifest(join(this.path, MANIFEST), { step: STEP, files, bytes, ...manifest });
  }
}

/** A hash as the `integrity` of a page's element or of a fetch has it. */
export function integrity(content: string | Uint8Array): string {
  return `sha256-${createHash("sha256").update(content).digest("base64")}`;
}

/**
 * Makes sure that a site may be written into a folder, before any work is done.
 *
 * @returns names of what is there, of an earlier site and beside it
 * @throws InputError for a folder that has other files and no site
 */
export async function checkSiteFolder(path: string): Promise<string[]> {
  await prepareFolder(path);
  const names = (await listFolder(path)).filter((name) => name !== CLAIM);
  if (names.length === 0 || await isSite(path)) return names;
  const some = names.slice(0, 3).join(", ");
  throw new InputError(
    `${path} holds other files (${some}); name an empty folder, or that of an earlier site, with ` +
      `--site-dir.`,
  );
}

async function isSite(path: string): Promise<boolean> {
  const manifest = join(path, MANIFEST);
  if (!await isFile(manifest)) return false;
  return (await readJson(manifest) as { step?: unknown } | null)?.step === STEP;
}
