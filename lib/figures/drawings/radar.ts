/** Polar drawings, as the paper compares classifiers. */
import * as Plot from "@observablehq/plot";
import { ACCENT } from "../colours.ts";
import type { Row, Surface } from "../figure.ts";
import { labelText } from "../figure_text.ts";
import type { RadarOptions } from "../kinds.ts";
import {
  dashesAt,
  type Drawing,
  Inks,
  nameIn,
  numberIn,
  panelsOf,
  seriesTones,
  tipsOf,
} from "./canvas.ts";

/** Room for names around the rim, in radii. */
const ROOM = 1.5;
/** Circles between middle and rim, the rim included. */
const CIRCLES = 3;

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Draws radars. */
export function drawRadar(rows: readonly Row[], options: RadarOptions, surface: Surface): Drawing {
  const { rays, series, seriesNames, panel, panels, domain: [low, high] } = options;
  const inks = new Inks(surface.theme);
  const tones = seriesTones(seriesNames);
  const layout = panelsOf(panels, surface.width, 230);
  const facet = layout.channels(panel);
  const side = surface.width / layout.across;
  const at = (ray: string, radius: number): Place => {
    const angle = 2 * Math.PI * rays.indexOf(ray) / rays.length;
    return { x: radius * Math.sin(angle), y: radius * Math.cos(angle) };
  };
  const radius = (value: number) => Math.min(1, Math.max(0, (value - low) / (high - low)));
  const shares = Array.from({ length: CIRCLES }, (_, i) => (i + 1) / CIRCLES);
  const rayOf = (row: Row) => rays.indexOf(nameIn(row, options.ray));
  const shown = rows.filter((row) => rayOf(row) >= 0).sort((a, b) => rayOf(a) - rayOf(b));
  const own = Map.groupBy(shown, (row) => nameIn(row, series));
  const placeOf = (row: Row) =>
    at(nameIn(row, options.ray), radius(numberIn(row, options.value) || 0));
  const places = { x: (row: Row) => placeOf(row).x, y: (row: Row) => placeOf(row).y };
  const closed = "linear-closed";
  const rounded = (value: number) => String(Number(value.toFixed(2)));
  return {
    key: { names: seriesNames, tones, dashes: true },
    plot: {
      fx: { ...layout.scales.fx, padding: 0 },
      fy: { ...layout.scales.fy, padding: 0 },
      margin: 0,
      marginTop: 20,
      height: 20 + layout.down * side,
      color: { type: "identity" },
      x: { axis: null, domain: [-ROOM, ROOM] },
      y: { axis: null, domain: [-ROOM, ROOM] },
      marks: [
        layout.titles,
        shares.map((share) =>
          Plot.line(rays.map((ray) => at(ray, share)), {
            x: "x",
            y: "y",
            curve: closed,
            stroke: inks.rule,
          })
        ),
        Plot.link(rays, {
          x1: 0,
          y1: 0,
          x2: (ray: string) => at(ray, 1).x,
          y2: (ray: string) => at(ray, 1).y,
          stroke: inks.rule,
        }),
        Plot.text(rays, {
          x: (ray: string) => at(ray, 1.2).x,
          y: (ray: string) => at(ray, 1.12).y,
          text: (ray: string) => labelText(ray, 12),
          fill: inks.text,
          fontSize: 10,
        }),
        Plot.text([0, ...shares], {
          x: 0.02,
          y: (share: number) => share,
          text: (share: number) => rounded(low + share * (high - low)),
          textAnchor: "start",
          fill: inks.muted,
          fontSize: 8,
        }),
        seriesNames.map((name, i) =>
          Plot.line(own.get(name) ?? [], {
            ...facet,
            ...places,
            curve: closed,
            stroke: inks.of(tones.get(name) ?? ACCENT),
            strokeWidth: 1.6,
            strokeDasharray: dashesAt(i),
          })
        ),
        tipsOf(shown, { ...facet, ...places }, { surface, inks }),
      ],
    },
  };
}
