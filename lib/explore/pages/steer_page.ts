/// <reference lib="dom" />
/** Texts written with features made stronger or weaker, beside the text as it would have been. */
import { h, type TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import { visibleText } from "../../report/visible_text.ts";
import type { Overview, Steered, SteerRequest } from "../backend.ts";
import { MOST_FEATURES, MOST_NEW_TOKENS, MOST_TEXT } from "../limits.ts";
import { useAnswer, useAnswers } from "./answers.ts";
import { FeatureLink, featureName } from "./feature_name.ts";
import { useAddress } from "./link.ts";
import { RunStatus, useLiveRun } from "./live_run.ts";
import { Answered, Page } from "./page.ts";
import type { SteerRoute } from "./route.ts";

/** What a feature is changed by when it is chosen, as a share of its largest activation. */
const STRENGTH = 0.4;

type Chosen = SteerRequest["features"];

/** The page. */
export function SteerPage({ route }: { readonly route: SteerRoute }) {
  const state = useAnswer("overview");
  return h(
    Page,
    {
      title: "Steer",
      lead:
        "Make features stronger or weaker while the model writes, and compare with what it writes by itself.",
    },
    h(Answered<Overview>, {
      state,
      show: (overview) =>
        overview.live === true
          ? h(Steering, { route, overview })
          : h("p", { class: "problem" }, visibleText(overview.live)),
    }),
  );
}

function Steering(
  { route, overview }: { readonly route: SteerRoute; readonly overview: Overview },
) {
  const { page: _, ...request } = route;
  const { backend } = useAnswers();
  const address = useAddress();
  const { state, start, stop } = useLiveRun<Steered & { readonly prompt: string }>();
  const change = (changed: Partial<SteerRequest>) => address.go({ ...route, ...changed }, true);
  const write = () =>
    start(async ({ signal, ahead, tokens }) => ({
      ...await backend.steer(request, tokens, signal, ahead),
      prompt: request.prompt,
    }));
  return h(
    "div",
    { class: "columns-of-page even" },
    h(
      "form",
      {
        class: "live",
        onSubmit: (event: TargetedEvent<HTMLFormElement>) => {
          event.preventDefault();
          write();
        },
      },
      h(Choosing, {
        overview,
        chosen: request.features,
        change: (features) => change({ features }),
      }),
      h("label", { for: "prompt" }, "Beginning of the text"),
      h("textarea", {
        id: "prompt",
        rows: 3,
        maxLength: MOST_TEXT,
        dir: "auto",
        value: request.prompt,
        onInput: (event: TargetedEvent<HTMLTextAreaElement>) =>
          change({ prompt: event.currentTarget.value }),
      }),
      h(
        "div",
        { class: "settings" },
        h(NumberSetting, {
          name: "Tokens",
          ...{ value: request.maxNewTokens, min: 1, max: MOST_NEW_TOKENS, step: 1 },
          change: (maxNewTokens) => change({ maxNewTokens }),
        }),
        h(NumberSetting, {
          name: "Temperature",
          ...{ value: request.temperature, min: 0, max: 2, step: 0.1 },
          change: (temperature) => change({ temperature }),
        }),
        h(NumberSetting, {
          name: "Seed",
          ...{ value: request.seed, min: 0, max: 1e9, step: 1 },
          change: (seed) => change({ seed }),
        }),
      ),
      state.running
        ? h("button", { type: "button", onClick: stop }, "Stop")
        : h("button", { type: "submit" }, "Write"),
      h(RunStatus, { state, doing: "writing" }),
    ),
    h(
      "section",
      { "aria-label": "What the model writes", "aria-live": "polite" },
      state.result
        ? [
          h(Written, { title: "As it is", prompt: state.result.prompt, text: state.result.plain }),
          h(Written, { title: "Steered", prompt: state.result.prompt, text: state.result.steered }),
        ]
        : h("p", { class: "quiet" }, "Both texts will stand here."),
    ),
  );
}

function Written(
  { title, prompt, text }: {
    readonly title: string;
    readonly prompt: string;
    readonly text: string;
  },
) {
  return h(
    "figure",
    { class: "written" },
    h("figcaption", null, title),
    h(
      "p",
      { dir: "auto" },
      h("span", { class: "quiet" }, visibleText(prompt)),
      visibleText(text),
    ),
  );
}

/** The features, and how to choose others. */
function Choosing(
  { overview, chosen, change }: {
    readonly overview: Overview;
    readonly chosen: Chosen;
    readonly change: (chosen: Chosen) => void;
  },
) {
  const set = (at: number, strength: number) =>
    change(chosen.map((feature, i) => i === at ? { ...feature, strength } : feature));
  const add = (features: Chosen) => {
    const had = new Set(chosen.map(featureName));
    const added = features.filter((feature) => !had.has(featureName(feature)));
    change([...chosen, ...added].slice(0, MOST_FEATURES));
  };
  return h(
    "fieldset",
    null,
    h("legend", null, `Features (${chosen.length})`),
    h(AddLanguage, { overview, add }),
    h(AddFeature, { add }),
    chosen.length > 1 && h(
      "p",
      { class: "all-of-them" },
      h(NumberSetting, {
        name: "Strength of all",
        ...{ value: chosen[0].strength, min: -4, max: 4, step: 0.1 },
        change: (strength) => change(chosen.map((feature) => ({ ...feature, strength }))),
      }),
      h("button", { type: "button", onClick: () => change([]) }, "None"),
    ),
    h(
      "ul",
      { class: "chosen" },
      chosen.map((feature, i) => {
        const { layer, index, strength } = feature;
        const name = featureName(feature);
        return h(
          "li",
          { key: name },
          h(FeatureLink, { layer, index }),
          h("input", {
            type: "range",
            ...{ min: -2, max: 2, step: 0.1, value: strength },
            "aria-label": `Strength of ${name}`,
            onInput: (event) => set(i, Number(event.currentTarget.value)),
          }),
          h("output", null, strength.toFixed(1)),
          h("button", {
            type: "button",
            class: "remove",
            "aria-label": `Without ${name}`,
            onClick: () => change(chosen.filter((_, other) => other !== i)),
          }, "×"),
        );
      }),
    ),
  );
}

/** Adds all features of a language. */
function AddLanguage(
  { overview: { languages }, add }: {
    readonly overview: Overview;
    readonly add: (features: Chosen) => void;
  },
) {
  const { backend } = useAnswers();
  const [problem, setProblem] = useState<string>();
  const choose = async (language: string) => {
    try {
      const query = { language, identified: true, order: "entropy", offset: 0 } as const;
      const { features } = await backend.features({ ...query, limit: MOST_FEATURES });
      add(features.map(({ layer, index }) => ({ layer, index, strength: STRENGTH })));
      setProblem(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return h(
    "p",
    null,
    h(
      "label",
      null,
      "All features of ",
      h(
        "select",
        {
          onChange: (event: TargetedEvent<HTMLSelectElement>) => {
            const { value } = event.currentTarget;
            event.currentTarget.value = "";
            if (value !== "") choose(value);
          },
        },
        h("option", { value: "" }, "a language …"),
        languages.filter(({ features }) => features > 0).map(({ name, features }) =>
          h("option", { key: name, value: name }, `${visibleText(name)} (${features})`)
        ),
      ),
    ),
    problem && h("span", { class: "problem", role: "alert" }, problem),
  );
}

/** Adds one feature by its place. */
function AddFeature({ add }: { readonly add: (features: Chosen) => void }) {
  const [place, setPlace] = useState("");
  const match = /^\s*(\d{1,5})\D+(\d{1,9})\s*$/.exec(place);
  const take = () => {
    if (!match) return;
    add([{ layer: Number(match[1]), index: Number(match[2]), strength: STRENGTH }]);
    setPlace("");
  };
  return h(
    "p",
    null,
    h(
      "label",
      null,
      "One: layer and latent ",
      h("input", {
        size: 10,
        placeholder: "3 · 1948",
        value: place,
        onInput: (event) => setPlace(event.currentTarget.value),
        onKeyDown: (event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          take();
        },
      }),
    ),
    h("button", { type: "button", disabled: !match, onClick: take }, "Add"),
  );
}

function NumberSetting(
  { name, value, min, max, step, change }: {
    readonly name: string;
    readonly value: number;
    readonly min: number;
    readonly max: number;
    readonly step: number;
    readonly change: (value: number) => void;
  },
) {
  return h(
    "label",
    null,
    name,
    h("input", {
      type: "number",
      ...{ value, min, max, step },
      onChange: (event) => {
        const typed = Number(event.currentTarget.value);
        if (event.currentTarget.value !== "" && typed >= min && typed <= max) change(typed);
      },
    }),
  );
}
