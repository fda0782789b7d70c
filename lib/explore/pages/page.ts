/** What all pages are put into. */
import { type ComponentChildren, h } from "preact";
import type { AnswerState } from "./answers.ts";

/** A page under its heading, which the keyboard reaches first after a link was followed. */
export function Page(
  { title, lead, children }: {
    readonly title: ComponentChildren;
    readonly lead?: ComponentChildren;
    readonly children?: ComponentChildren;
  },
) {
  return h(
    "main",
    { id: "main" },
    h("h1", { tabIndex: -1 }, title),
    lead && h("p", { class: "lead" }, lead),
    children,
  );
}

/** Why something is not there. */
export function Problem({ children }: { readonly children?: ComponentChildren }) {
  return h("p", { class: "problem", role: "alert" }, children);
}

/** What was answered, or that it is on its way, or why it will not come. */
export function Answered<T>(
  { state: { answer, problem, pending }, show }: {
    readonly state: AnswerState<T>;
    readonly show: (answer: T) => ComponentChildren;
  },
) {
  if (problem !== undefined) return h(Problem, null, problem);
  if (answer === undefined) return h("p", { class: "pending" }, "…");
  return h("div", { "aria-busy": pending ? "true" as const : undefined }, show(answer));
}
