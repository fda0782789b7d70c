/** Which of the chosen latents fire often enough, and the random ones that stand beside them. */
import { type ExampleSource, hasExamples } from "../interpret/examples/example_source.ts";
import type { LatentName } from "../interpret/example.ts";
import { listed } from "../interpret/results/failures.ts";
import { latentStem } from "../interpret/results/result_files.ts";
import type {
  ChosenLatent,
  FiringStatistics,
  SelectedLatents,
} from "../interpret/results/found.ts";

/** Candidates that are looked at together, per control that is still wanted: half of them may do. */
const LOOK_AHEAD = 2;

/**
 * Looks at the identified latents, then at as many candidates as it takes to find the controls.
 *
 * @param census examples of all of them; only how often they fire is looked at
 * @param chosen identified ones
 * @param candidates for controls, of each hookpoint in the order of preference
 */
export async function selectLatents(
  census: ExampleSource,
  chosen: readonly ChosenLatent[],
  candidates: readonly ChosenLatent[],
): Promise<SelectedLatents> {
  const seen = new Census(census);
  const identified = await seen.firing(chosen);
  const random: ChosenLatent[] = [];
  for (const [hookpoint, own] of Map.groupBy(identified, ({ hookpoint }) => hookpoint)) {
    const queue = candidates.filter((candidate) => candidate.hookpoint === hookpoint);
    const found: ChosenLatent[] = [];
    while (found.length < own.length && queue.length > 0) {
      const next = queue.splice(0, LOOK_AHEAD * (own.length - found.length));
      const firing = new Set(await seen.firing(next));
      found.push(
        ...next.filter((latent) => firing.has(latent)).slice(0, own.length - found.length),
      );
    }
    random.push(...seen.inOrder(found));
  }
  return {
    identified,
    random,
    skipped: seen.inOrder(chosen).flatMap((latent) => {
      const activeWindows = seen.tooFew(latent);
      return activeWindows === undefined
        ? []
        : [{ ...listed(latent), active_windows: activeWindows }];
    }),
    silent: seen.silent(chosen).map(listed),
    statisticsOf: (latent) => seen.statisticsOf(latent),
  };
}

/** How often latents fire, of those that were looked at. */
class Census {
  readonly #source: ExampleSource;
  /** Place of each latent that fires, in the order of B.3. */
  readonly #places: ReadonlyMap<string, number>;
  readonly #statistics = new Map<string, FiringStatistics>();
  readonly #tooFew = new Map<string, number>();

  constructor(source: ExampleSource) {
    this.#source = source;
    this.#places = new Map(source.latents.map((latent, place) => [latentStem(latent), place]));
  }

  /** Those that fire at all, in the order of B.3, which is the fastest to read them in. */
  inOrder(latents: readonly ChosenLatent[]): ChosenLatent[] {
    const place = (latent: LatentName) => this.#places.get(latentStem(latent));
    return latents.filter((latent) => place(latent) !== undefined)
      .sort((a, b) => (place(a) ?? 0) - (place(b) ?? 0));
  }

  /** Those that never fire. */
  silent(latents: readonly ChosenLatent[]): ChosenLatent[] {
    return latents.filter((latent) => !this.#places.has(latentStem(latent)));
  }

  /** Those that fire often enough, in the order of B.3. */
  async firing(latents: readonly ChosenLatent[]): Promise<ChosenLatent[]> {
    const firing: ChosenLatent[] = [];
    for (const latent of this.inOrder(latents)) {
      const found = await this.#source.load(latent);
      if (hasExamples(found)) {
        this.#statistics.set(latentStem(latent), statisticsIn(found));
        firing.push(latent);
      } else {
        this.#tooFew.set(latentStem(latent), found.activeWindows);
      }
    }
    return firing;
  }

  /** Windows in which a latent fires, where they are too few. */
  tooFew(latent: LatentName): number | undefined {
    return this.#tooFew.get(latentStem(latent));
  }

  statisticsOf(latent: LatentName): FiringStatistics {
    const found = this.#statistics.get(latentStem(latent));
    if (!found) throw new RangeError(`${latentStem(latent)} was not selected`);
    return found;
  }
}

function statisticsIn(
  { activeWindows, windows, firedTokens, tokens, max }: FiringStatistics,
): FiringStatistics {
  return { activeWindows, windows, firedTokens, tokens, max };
}
