/// <reference lib="dom" />
/** A text of the visitor's own: which language-specific features fire in it, token by token. */
import { h, type TargetedEvent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { decimalText, percentText, quantityText } from "../../report/numbers.ts";
import { visibleText } from "../../report/visible_text.ts";
import type { Overview, Piece, Tried } from "../backend.ts";
import { MOST_TEXT } from "../limits.ts";
import { useAnswer, useAnswers } from "./answers.ts";
import { Bar } from "./bar.ts";
import { ColouredText } from "./coloured_text.ts";
import { Badges, FeatureLink } from "./feature_name.ts";
import { useAddress } from "./link.ts";
import { RunStatus, useLiveRun } from "./live_run.ts";
import { Answered, Page } from "./page.ts";

/** Milliseconds after the last key before the text is read. */
const PATIENCE = 500;
/** Features listed at first. */
const SOME = 30;

/** The page. */
export function TryPage({ route }: { readonly route: { readonly text: string } }) {
  const state = useAnswer("overview");
  return h(
    Page,
    {
      title: "Try a text",
      lead:
        "Type in any language: the features of languages that fire in your text, token by token.",
    },
    h(Answered<Overview>, {
      state,
      show: ({ live }) =>
        live === true
          ? h(Trying, { text: route.text })
          : h("p", { class: "problem" }, visibleText(live)),
    }),
  );
}

function Trying({ text: given }: { readonly text: string }) {
  const { backend } = useAnswers();
  const address = useAddress();
  const [text, setText] = useState(given);
  const { state, start, stop } = useLiveRun<Tried>();
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const read = (text: string) => {
    clearTimeout(timer.current);
    address.go({ page: "try", text }, true);
    if (text.trim() === "") return stop();
    start(({ signal, ahead }) => backend.tryText(text, signal, ahead));
  };
  useEffect(() => {
    if (given.trim() !== "") start(({ signal, ahead }) => backend.tryText(given, signal, ahead));
    return () => clearTimeout(timer.current);
  }, []);
  return h(
    "div",
    null,
    h(
      "form",
      {
        class: "live",
        onSubmit: (event: TargetedEvent<HTMLFormElement>) => {
          event.preventDefault();
          read(text);
        },
      },
      h("label", { for: "text" }, "Your text"),
      h("textarea", {
        id: "text",
        rows: 4,
        maxLength: MOST_TEXT,
        dir: "auto",
        value: text,
        onInput: (event: TargetedEvent<HTMLTextAreaElement>) => {
          const typed = event.currentTarget.value;
          setText(typed);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => read(typed), PATIENCE);
        },
      }),
      h("button", { type: "submit" }, "Read it"),
      h(RunStatus, { state, doing: "reading" }),
    ),
    state.result && text.trim() !== "" && h(Findings, { tried: state.result }),
  );
}

function Findings({ tried: { tokens, fired, languages } }: { readonly tried: Tried }) {
  const [all, setAll] = useState(false);
  const best = Math.max(...languages.map(({ score }) => score), 1e-9);
  const piecesOf = (activations: readonly number[]): Piece[] =>
    tokens.map((text, i) => ({ text, activation: activations[i] }));
  const shown = all ? fired : fired.slice(0, SOME);
  return h(
    "div",
    { class: "columns-of-page" },
    h(
      "section",
      null,
      h("h2", null, quantityText(fired.length, "feature"), " of languages fire"),
      fired.length > 0 && h(
        "div",
        { class: "wide", tabIndex: 0, role: "region", "aria-label": "Features that fire" },
        h(
          "table",
          { class: "fired" },
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              ["Feature", "Languages", "Largest", "On your text"].map((name) =>
                h("th", { key: name, scope: "col" }, name)
              ),
            ),
          ),
          h(
            "tbody",
            null,
            shown.map(({ layer, index, languages, activations }) => {
              const max = Math.max(...activations);
              return h(
                "tr",
                { key: `${layer} ${index}` },
                h("td", null, h(FeatureLink, { layer, index })),
                h("td", null, h(Badges, { languages })),
                h("td", { class: "number" }, decimalText(max, 2)),
                h("td", null, h(ColouredText, { pieces: piecesOf(activations), max })),
              );
            }),
          ),
        ),
      ),
      shown.length < fired.length &&
        h("button", { type: "button", onClick: () => setAll(true) }, `All ${fired.length}`),
    ),
    h(
      "aside",
      { "aria-label": "Languages" },
      h("h2", null, "Whose features"),
      h(
        "table",
        { class: "languages" },
        h(
          "tbody",
          null,
          languages.filter(({ score }) => score > 0).map(({ language, score }) =>
            h(
              "tr",
              { key: language },
              h("th", { scope: "row" }, visibleText(language)),
              h("td", { class: "number" }, percentText(score)),
              h("td", { class: "bars" }, h(Bar, { share: score / best })),
            )
          ),
        ),
      ),
    ),
  );
}
