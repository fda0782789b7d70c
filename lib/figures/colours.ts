/** Colours of figures: by theme, by name, and along ramps. */
import type { Surface } from "./figure.ts";
import { contrast, hexOf, type Oklch } from "./oklab.ts";

/** A colour on light and on dark paper. */
export interface Tone {
  readonly light: string;
  readonly dark: string;
}

/** What figures are written with; the colours of the report. */
export const PAPER: Tone = { light: "#fbfaf7", dark: "#15171a" };
export const INK: Tone = { light: "#1d1d20", dark: "#e8e6e1" };
export const MUTED: Tone = { light: "#5b6068", dark: "#a4a8b0" };
export const RULE: Tone = { light: "#dcd8d0", dark: "#3a3f46" };
/** What stands behind: features of no language, controls. */
export const BEHIND: Tone = { light: "#a19d94", dark: "#6d737c" };
/** Marks of a figure that has one series. */
export const ACCENT: Tone = { light: "#2b66a8", dark: "#7fb0ee" };

/**
 * Sixteen colours, by annealing as far apart as they go in OKLab for eyes with three cones, without red
 * ones and without green ones (Machado et al. 2009): 0.14, 0.09 and 0.08 at least. Each has a contrast
 * of 3 to its paper. Sixteen cannot be told apart by colour alone, so no drawing has it alone.
 */
export const NAMED: readonly Tone[] = [
  { light: "#2b62b4", dark: "#1958f3" },
  { light: "#bf5759", dark: "#d4070c" },
  { light: "#169a97", dark: "#49ac91" },
  { light: "#62043d", dark: "#a7666f" },
  { light: "#a0900d", dark: "#9f9107" },
  { light: "#59019e", dark: "#784fbd" },
  { light: "#fe4493", dark: "#e2b5b4" },
  { light: "#097b05", dark: "#15752e" },
  { light: "#1693ff", dark: "#4284be" },
  { light: "#6e4950", dark: "#fe6d6e" },
  { light: "#9074cb", dark: "#ece2ff" },
  { light: "#274d03", dark: "#bdf099" },
  { light: "#b12287", dark: "#b3298a" },
  { light: "#193369", dark: "#8bccff" },
  { light: "#6e44ff", dark: "#b871fe" },
  { light: "#191fd8", dark: "#9d99d1" },
];

/** The languages of the paper, which have the same colour in every report. */
const PAPER_LANGUAGES = [
  ...["English", "German", "French", "Italian", "Portuguese", "Hindi", "Spanish", "Thai"],
  ...["Bulgarian", "Russian", "Turkish", "Vietnamese", "Japanese", "Korean", "Chinese"],
];

/** The second channel of colour: shapes that Plot draws. */
export const SYMBOLS = ["circle", "square", "triangle", "diamond", "star", "cross", "wye"] as const;

/** The same shapes around (0, 0), about 10 pixels wide. */
export const SYMBOL_PATHS: Readonly<Record<typeof SYMBOLS[number], string>> = {
  circle: "M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0Z",
  square: "M-4,-4H4V4H-4Z",
  triangle: "M0,-4.6L4,2.3H-4Z",
  diamond: "M0,-5.4L3.2,0L0,5.4L-3.2,0Z",
  star: "M0,-5L1.2,-1.6L4.8,-1.5L1.9,.6L2.9,4L0,2L-2.9,4L-1.9,.6L-4.8,-1.5L-1.2,-1.6Z",
  cross: "M-5,-1.6H-1.6V-5H1.6V-1.6H5V1.6H1.6V5H-1.6V1.6H-5Z",
  wye: "M1.4,.9V5H-1.4V.9L-5,-1.3L-3.6,-3.7L0,-1.6L3.6,-3.7L5,-1.3Z",
};

/**
 * A tone as one CSS colour of the theme; `both` follows the colour scheme of the page. Plot takes a text
 * that it does not know as a colour for the name of a column, and it knows `var()`, not `light-dark()`.
 */
export function inTheme({ light, dark }: Tone, theme: Surface["theme"]): string {
  if (theme === "both") return `var(--_,light-dark(${light},${dark}))`;
  return theme === "light" ? light : dark;
}

/**
 * Tones by name. A language of the paper always has its own; other names have the first that are
 * free, in their order, and share them where there are more than sixteen.
 */
export function namedTones(names: readonly string[]): Map<string, Tone> {
  const fixed = (name: string) => PAPER_LANGUAGES.indexOf(name);
  const taken = new Set(names.map(fixed));
  const free = NAMED.map((_, i) => i).filter((i) => !taken.has(i));
  let next = 0;
  return new Map(names.map((name) => {
    const own = fixed(name);
    const at = own >= 0 ? own : free.length > 0 ? free[next++ % free.length] : next++ % 16;
    return [name, NAMED[at]];
  }));
}

/**
 * From paper to its opposite in one hue: equal steps look equally large.
 *
 * @param share 0 to 1
 */
export function sequential(share: number): Tone {
  const hue = 75 - 45 * share;
  const at = (from: number, to: number): Oklch => [
    from + (to - from) * share,
    0.02 + 0.13 * Math.sin(Math.PI * Math.min(1, 0.1 + 0.75 * share)),
    hue,
  ];
  return { light: hexOf(at(0.965, 0.4)), dark: hexOf(at(0.27, 0.88)) };
}

/**
 * Blue to neutral to orange, which all eyes tell apart.
 *
 * @param share 0 to 1, the neutral colour at 0.5
 */
export function diverging(share: number): Tone {
  const size = Math.abs(2 * share - 1);
  const hue = share < 0.5 ? 255 : 50;
  const at = (from: number, to: number): Oklch => [from + (to - from) * size, 0.15 * size, hue];
  return { light: hexOf(at(0.965, 0.48)), dark: hexOf(at(0.27, 0.82)) };
}

/** Tones in order, from pale to deep, for series that have an order. */
export function rampTones(names: readonly string[]): Map<string, Tone> {
  const last = Math.max(1, names.length - 1);
  return new Map(names.map((name, i) => {
    const share = i / last;
    const at = (from: number, to: number): Oklch => [
      from + (to - from) * share,
      0.12,
      110 + 190 * share,
    ];
    return [name, { light: hexOf(at(0.84, 0.36)), dark: hexOf(at(0.42, 0.92)) }];
  }));
}

/** Ink to write on a colour with. */
export function inkOn({ light, dark }: Tone): Tone {
  const readable = (paper: string) =>
    contrast(paper, "#000000") >= contrast(paper, "#ffffff") ? "#000000" : "#ffffff";
  return { light: readable(light), dark: readable(dark) };
}
