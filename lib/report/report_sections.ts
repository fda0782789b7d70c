/** The parts of the page, in their order; a part of which the results have nothing is left out. */
import type { Section } from "./contents.ts";
import { explanationParts } from "./explanations_table.ts";
import { figureBlock } from "./figure_block.ts";
import { EMPTY, type Html, markup } from "./html.ts";
import { languageSections } from "./language_sections.ts";
import { quantityText } from "./numbers.ts";
import type { DrawnFigure, ReportPage } from "./report_page.ts";
import {
  certaintyTable,
  claimsTable,
  classifiersTable,
  evaluationTable,
  interventionsTable,
  steeredTable,
} from "./result_tables.ts";

/** @param answers whether the page has a script */
export function reportSections(page: ReportPage, answers: boolean): Section[] {
  const groups = Map.groupBy(page.figures, ({ figure }) => figure.group);
  const shown = new Set<string>();
  const figures = (...names: string[]): Html => {
    names.forEach((name) => shown.add(name));
    return figureBlocks(names.flatMap((name) => groups.get(name) ?? []), answers);
  };
  const { identification, findings, claims, replication, evaluation, explanations } = page;
  const some = <T>(list: readonly T[] | undefined, table: (list: readonly T[]) => Html): Html =>
    list && list.length > 0 ? table(list) : EMPTY;

  const known: Section[] = [
    { id: "claims", title: "The paper’s claims", body: some(claims, claimsTable) },
    { id: "features", title: "Features", body: figures("Features") },
    {
      id: "strongest",
      title: "Each language’s strongest features",
      body: identification ? languageSections(identification) : EMPTY,
    },
    {
      id: "certainty",
      title: "How sure they are",
      body: markup`${
        findings ? some(findings.features, () => certaintyTable(findings, replication)) : EMPTY
      }${figures("Certainty")}`,
    },
    {
      id: "explanations",
      title: "What they stand for",
      body: markup`${some(explanations, explanationParts)}${figures("Explanations")}`,
    },
    { id: "shared", title: "Features that languages share", body: figures("Shared features") },
    { id: "similarity", title: "Features that fire together", body: figures("Similarity") },
    { id: "directions", title: "Directions", body: figures("Directions") },
    { id: "neurons", title: "Neurons", body: figures("Neurons") },
    {
      id: "perplexity",
      title: "Perplexity",
      body: markup`${some(findings?.interventions, interventionsTable)}${figures("Perplexity")}`,
    },
    {
      id: "steering",
      title: "Steering",
      body: markup`${figures("Steering")}${some(findings?.steered, steeredTable)}`,
    },
    {
      id: "classification",
      title: "Classification",
      body: markup`${some(findings?.classifiers, classifiersTable)}${figures("Classification")}`,
    },
    { id: "activity", title: "Activity", body: figures("Activity") },
    { id: "training", title: "Training", body: figures("Training") },
    {
      id: "evaluation",
      title: "Evaluation",
      body: markup`${some(evaluation, evaluationTable)}${figures("Evaluation")}`,
    },
  ];
  const others = [...groups].filter(([name]) => !shown.has(name)).map(([name, list], i) => ({
    id: `more-${i + 1}`,
    title: name,
    body: figureBlocks(list, answers),
  }));
  return [...known, ...others].filter(({ body }) => body.source !== "");
}

/** Of a part with more figures than this, as many are open and the rest is folded away. */
const OPEN_FIGURES = 6;

function figureBlocks(figures: readonly DrawnFigure[], answers: boolean): Html {
  const blocks = figures.map((figure) => figureBlock(figure, answers));
  const [open, folded] = [blocks.slice(0, OPEN_FIGURES), blocks.slice(OPEN_FIGURES)];
  if (folded.length === 0) return markup`${open}`;
  return markup`${open}<details class="more"><summary>${
    quantityText(folded.length, "more figure")
  }</summary>
${folded}</details>
`;
}
