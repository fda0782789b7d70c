/**
 * Is a unit's activity bound to languages at all? A permutation test: if it is not, the languages of
 * the documents are exchangeable, and other assignments of languages to documents give entropies as
 * low as the one that was seen.
 */
import { seededRandom } from "../stats/random.ts";
import { benjaminiHochberg } from "../stats/benjamini_hochberg.ts";
import { type DocumentGroup, type UnitBlock, unitBlocks } from "./document_groups.ts";

/** What the test is told. */
export interface PermutationOptions {
  /** Number of random assignments, R. */
  readonly permutations?: number;
  readonly seed?: number;
  /** Told now and then how many units are done; may let other work go on. */
  readonly progressed?: (units: number) => Promise<void> | void;
}

/** The test of every unit. */
export interface PermutationTest {
  readonly permutations: number;
  /** Units that were tested: all that fired. */
  readonly tests: number;
  /** `[units]`: p-value, NaN for a unit that never fired. */
  readonly pValues: Float64Array<ArrayBuffer>;
  /** `[units]`: Benjamini-Hochberg over all tests. */
  readonly qValues: Float64Array<ArrayBuffer>;
}

/** Entropies closer than this are equal: their terms were added in different orders. */
const TIE = 1e-10;
const BLOCK_UNITS = 1024;
const BATCH_ROWS = 40;
/** Places that 16 bits tell apart. */
const PLACES = 2 ** 16;
/** Largest count whose `c ln c` is looked up (8 MiB of table). */
const LOOKED_UP = 2 ** 20;

/**
 * Tests every unit that fired. Labels of whole groups of documents are permuted, so that each
 * language keeps its number of groups; `p = (1 + #{H* <= H}) / (1 + R)` (Phipson & Smyth 2010),
 * hence never 0. Low entropy is what counts: the test is one-sided.
 *
 * Costs `R * (groups a unit fires in + languages)` additions per unit: seconds for 12,288 units, of
 * the order of ten minutes for the paper's 2.1 million on one core.
 *
 * @param groups of all languages
 * @param languages how many there are
 * @param units how many there are (layers * width)
 */
export async function permutationTest(
  groups: readonly DocumentGroup[],
  languages: number,
  units: number,
  { permutations = 999, seed = 0, progressed }: PermutationOptions = {},
): Promise<PermutationTest> {
  const assignments = drawAssignments(groups, languages, permutations, seed);
  const pValues = new Float64Array(units).fill(NaN);
  for (const block of unitBlocks(groups, units, BLOCK_UNITS)) {
    testBlock(block, assignments, pValues);
    await progressed?.(Math.min(block.first + BLOCK_UNITS, units));
  }
  const tests = pValues.reduce((sum, p) => sum + (Number.isNaN(p) ? 0 : 1), 0);
  return { permutations, tests, pValues, qValues: benjaminiHochberg(pValues) };
}

/** Languages of groups: row 0 as they are, then as many permutations as were asked for. */
interface Assignments {
  readonly rows: number;
  readonly groups: number;
  readonly languages: number;
  /** Rows of a batch. */
  readonly batch: number;
  /**
   * `[batches, groups, batch]`: where the counts of a group are added in each row of a batch,
   * `row of the batch * languages + language`. In this order a count is read once for a whole batch,
   * which halves the time.
   */
  readonly places: Uint16Array;
  /** `[rows, languages]`: one over the tokens of the language, and the logarithm of the tokens. */
  readonly perToken: Float64Array;
  readonly logTokens: Float64Array;
  /** `c ln c` of a count. */
  readonly countLogs: Float64Array;
}

function drawAssignments(
  groups: readonly DocumentGroup[],
  languages: number,
  permutations: number,
  seed: number,
): Assignments {
  const random = seededRandom(seed);
  const rows = permutations + 1;
  const batch = Math.min(BATCH_ROWS, Math.floor(PLACES / languages));
  const places = new Uint16Array(Math.ceil(rows / batch) * groups.length * batch);
  const tokens = new Float64Array(rows * languages);
  const drawn = Uint16Array.from(groups, ({ language }) => language);
  for (let row = 0; row < rows; row++) {
    if (row > 0) shuffle(drawn, random);
    const [block, within] = [Math.floor(row / batch), row % batch];
    drawn.forEach((language, g) => {
      places[(block * groups.length + g) * batch + within] = within * languages + language;
      tokens[row * languages + language] += groups[g].tokens;
    });
  }
  const total = groups.reduce((sum, { tokens }) => sum + tokens, 0);
  return {
    rows,
    groups: groups.length,
    languages,
    batch,
    places,
    perToken: tokens.map((count) => 1 / count),
    logTokens: tokens.map(Math.log),
    countLogs: new Float64Array(Math.min(total, LOOKED_UP) + 1)
      .map((_, count) => count === 0 ? 0 : count * Math.log(count)),
  };
}

/** Fisher and Yates. */
function shuffle(values: Uint16Array, random: () => number): void {
  for (let i = values.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [values[i], values[other]] = [values[other], values[i]];
  }
}

function testBlock(block: UnitBlock, assignments: Assignments, pValues: Float64Array): void {
  const fired = new Float64Array(assignments.batch * assignments.languages);
  for (let i = 0; i + 1 < block.offsets.length; i++) {
    const groups = block.offsets[i + 1] - block.offsets[i];
    if (groups === 0) continue;
    // in one group it fires in one language, whichever it is called
    pValues[block.first + i] = groups === 1 ? 1 : testUnit(block, i, assignments, fired);
  }
}

/** @param fired `[batch, languages]`, scratch */
function testUnit(
  block: UnitBlock,
  unit: number,
  assignments: Assignments,
  fired: Float64Array,
): number {
  const { rows, batch } = assignments;
  let [bar, asLow] = [NaN, 0];
  for (let first = 0; first < rows; first += batch) {
    addFired(block, unit, assignments, first / batch, fired);
    for (let row = first; row < Math.min(first + batch, rows); row++) {
      const entropy = entropyOf(fired, row, row - first, assignments);
      if (row === 0) bar = entropy + TIE;
      else if (entropy <= bar) asLow++;
    }
  }
  return (1 + asLow) / rows;
}

/** Tokens on which a unit fires, by row of a batch and language. */
function addFired(
  { offsets, group, firedTokens }: UnitBlock,
  unit: number,
  { groups, batch, places }: Assignments,
  block: number,
  fired: Float64Array,
): void {
  fired.fill(0);
  for (let entry = offsets[unit]; entry < offsets[unit + 1]; entry++) {
    const from = (block * groups + group[entry]) * batch;
    const count = firedTokens[entry];
    for (let i = from; i < from + batch; i++) fired[places[i]] += count;
  }
}

/**
 * Entropy of a unit under one assignment: with p = C / T and S = sum p,
 * `H = ln S - (sum p ln p) / S` and `p ln p = (C ln C - C ln T) / T`.
 */
function entropyOf(
  fired: Float64Array,
  row: number,
  within: number,
  { languages, perToken, logTokens, countLogs }: Assignments,
): number {
  let [total, sum] = [0, 0];
  for (let g = 0; g < languages; g++) {
    const count = fired[within * languages + g];
    if (count === 0) continue;
    const at = row * languages + g;
    const countLog = count < countLogs.length ? countLogs[count] : count * Math.log(count);
    total += count * perToken[at];
    sum += (countLog - count * logTokens[at]) * perToken[at];
  }
  return Math.log(total) - sum / total;
}
