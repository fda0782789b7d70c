/** The command of build-site: results, by the explorer's index, as a site. */
import { resolve } from "node:path";
import { step } from "../cli/step.ts";
import { integer, oneOf, size } from "../cli/values.ts";
import { claimFolder } from "../data/folder_claim.ts";
import { IndexBackend } from "../explore/index/index_backend.ts";
import { openExplorerIndex } from "../explore/index/open_explorer_index.ts";
import { readResults } from "../explore/index/results.ts";
import { identifiedFeatures, LAPE_RESULT_PATH } from "../identify/lape_result.ts";
import { withRunOptions } from "../session/options.ts";
import { openSession, sessionProvenance } from "../session/session.ts";
import { buildSite, type Site } from "./build_site.ts";
import { checkSiteFolder } from "./site_folder.ts";

/** Default of `--most-weights`. */
const MOST_WEIGHTS = "512MiB";

/** The command, with all its options. */
export function buildSiteCommand() {
  return withRunOptions(step(
    "build-site",
    "Write the explorer as files for any web server; the model runs in the visitor's browser.",
    "babelscope build-site --out-dir results --site-dir site",
  ))
    .option("--site-dir <folder>", "where the site goes", "site")
    .option(...LAPE_RESULT_PATH)
    .option(
      "--latents <which>",
      "latents that get a page: identified, the language-specific ones, or all (default: all, up to 50,000)",
      oneOf("identified", "all"),
    )
    .option(
      "--contexts <n>",
      "texts per language on which a language-specific feature is shown",
      integer({ min: 1, max: 200 }),
      20,
    )
    .option(
      "--most-weights <size>",
      `largest model and SAEs that visitors may have to fetch; larger ones are left out (default: ${MOST_WEIGHTS})`,
      size,
    );
}

/** What the options of `build-site` are parsed to. */
export type BuildSiteOptions = ReturnType<ReturnType<typeof buildSiteCommand>["opts"]>;

/**
 * Does what the options of `build-site` say.
 *
 * @throws InputError for results, a model or a folder that cannot be used
 */
export async function runBuildSite(options: BuildSiteOptions): Promise<Site> {
  const folder = resolve(options.siteDir);
  using _claim = await claimFolder(folder);
  await checkSiteFolder(folder);
  const features = await identifiedFeatures(options, "latents");
  const results = await readResults(options.outDir, features);
  using session = await openSession({ ...results.options, ...options });
  const database = await openExplorerIndex(results, session, options);
  try {
    const { model, saeModel, localSaeDir, layer } = results.options;
    const mostWeights = options.mostWeights ?? size(MOST_WEIGHTS);
    const site = { ...options, mostWeights, model, saeModel, localSaeDir, layer };
    return await buildSite(new IndexBackend(database, true), features.result, site, {
      ...sessionProvenance(session),
      results: { path: results.folder, sha256: results.sha256 },
      lape: { path: features.path, sha256: features.sha256 },
    });
  } finally {
    database.close();
  }
}
