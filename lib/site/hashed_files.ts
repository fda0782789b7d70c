/** Files that are checked as they arrive: a model that was changed on its way must not run. */

/** Hashes of files by path, as `integrity` takes them: `sha256-…` in base64. */
export type HashedFiles = Readonly<Record<string, string>>;

/**
 * Fetches a file of a site.
 *
 * @param root of the site, with a slash at its end
 * @param integrity what its hash has to be
 * @throws Error in a sentence when it cannot be had or is not the file that was published
 */
export async function fetchFile(root: string, path: string, integrity?: string): Promise<Response> {
  const response = await fetch(new URL(path, root), { integrity }).catch(() => undefined);
  if (!response) {
    throw new Error(
      `${path} could not be fetched, or is not what was published: load the page again.`,
    );
  }
  if (response.ok) return response;
  throw new Error(`The site has no ${path} (${response.status}): it was not copied whole.`);
}
