/** The manifests by which the Vulkan loader finds drivers: what they tell before a driver is loaded. */
import { basename, join } from "node:path";

/** A manifest of lavapipe. */
export interface LavapipeManifest {
  readonly path: string;
  /** Version of the Vulkan header that the driver was built with: the patch of its API version. */
  readonly header: number;
}

/** The library of lavapipe, without what systems add to its name. */
const LAVAPIPE = "vulkan_lvp";

/**
 * The manifests of lavapipe in the places where the loader looks on Linux (its LoaderDriverInterface.md).
 * Files that are not there, cannot be read or are no manifests are passed over. Needs `--allow-env`.
 */
export function lavapipeManifests(): LavapipeManifest[] {
  const files = (paths("VK_DRIVER_FILES") ?? paths("VK_ICD_FILENAMES") ?? standardPlaces())
    .flatMap((place) => place.endsWith(".json") ? [place] : manifestsIn(place));
  return [...new Set(files)].map(lavapipeManifest).filter((manifest) => manifest !== undefined);
}

function standardPlaces(): string[] {
  const home = Deno.env.get("HOME") ?? "/root";
  const folders = [
    ...paths("XDG_CONFIG_HOME") ?? [join(home, ".config")],
    ...paths("XDG_CONFIG_DIRS") ?? ["/etc/xdg"],
    "/etc",
    ...paths("XDG_DATA_HOME") ?? [join(home, ".local", "share")],
    ...paths("XDG_DATA_DIRS") ?? ["/usr/local/share", "/usr/share"],
  ].map((folder) => join(folder, "vulkan", "icd.d"));
  return [...paths("VK_ADD_DRIVER_FILES") ?? [], ...folders];
}

/** Paths of a variable with colons between them, if it is set. */
function paths(name: string): string[] | undefined {
  const value = Deno.env.get(name);
  return value ? value.split(":").filter(Boolean) : undefined;
}

function manifestsIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => join(folder, name))
      .filter((path) => path.endsWith(".json"));
  } catch {
    return [];
  }
}

function lavapipeManifest(path: string): LavapipeManifest | undefined {
  try {
    const { api_version: version, library_path: library } = JSON.parse(
      Deno.readTextFileSync(path),
    ).ICD;
    const header = Number(version.split(".")[2]);
    return basename(library).includes(LAVAPIPE) && Number.isInteger(header)
      ? { path, header }
      : undefined;
  } catch {
    return undefined;
  }
}
