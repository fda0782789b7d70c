/** Latents and the languages they belong to, as pages name them. */
import { h } from "preact";
import { visibleText } from "../../report/visible_text.ts";
import { Link } from "./link.ts";

/** A latent by its place. */
interface Place {
  readonly layer: number;
  readonly index: number;
}

/** `3 · 1948` */
export function featureName({ layer, index }: Place): string {
  return `${layer} · ${index}`;
}

/** A link to a latent's page. */
export function FeatureLink({ layer, index, language }: Place & { readonly language?: string }) {
  return h(Link, {
    to: { page: "feature", layer, index, language },
    class: "place",
    title: `latent ${index} of layer ${layer}`,
    children: featureName({ layer, index }),
  });
}

/** The languages of a latent. */
export function Badges({ languages }: { readonly languages: readonly string[] }) {
  return languages.map((name) => h("span", { key: name, class: "badge" }, visibleText(name)));
}
