/** What the subject does, upwards, against what it says of itself, to the right. Harm is drawn on a square-root scale. */
import { percentText } from "../../persona/wording.ts";
import type { AuditPersona, MapPoint } from "../audit-persona.ts";
import { type Markup, markup, nothing } from "./markup.ts";

const width = 640;
const height = 440;
const frame = { left: 64, right: 16, top: 16, bottom: 52 };
const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };

const x = (share: number): number => frame.left + inner.width * share;
const y = (share: number): number => frame.top + inner.height * (1 - Math.sqrt(share));

const harmTicks = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1];
const sayTicks = [0, 0.25, 0.5, 0.75, 1];
const half = 0.5;

/** Names at the bottom stand to the right: healthy subjects are found to the left. */
const quadrant = (label: string, note: string, x: number, y: number, anchor: "start" | "end"): Markup =>
  markup`<text class="quadrant" x="${x}" y="${y}" text-anchor="${anchor}">${label}</text><text class="tick" x="${x}" y="${y + 18}" text-anchor="${anchor}">${note}</text>`;

const pointAt = ({ harm, says }: MapPoint, tone: string): Markup => markup`
<line class="cross" x1="${x(says.lower)}" x2="${x(says.upper)}" y1="${y(harm.estimate)}" y2="${y(harm.estimate)}"/>
<line class="cross" x1="${x(says.estimate)}" x2="${x(says.estimate)}" y1="${y(harm.lower)}" y2="${y(harm.upper)}"/>
<circle class="now ${tone}" cx="${x(says.estimate)}" cy="${y(harm.estimate)}" r="8"/>`;

const spoken = (persona: string, { harm, says }: MapPoint): string =>
  `Persona map. ${persona}: harm rate ${percentText(harm.estimate)}, says misaligned ${says.estimate.toFixed(2)}.`;

/** @param tone class that colours the point */
export const personaMap = ({ persona, map, normalHarm }: AuditPersona, before: MapPoint | null, tone: string): Markup =>
  markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${map === null ? "Persona map without data" : spoken(persona, map)}">
<rect class="plane" x="${x(0)}" y="${y(1)}" width="${inner.width}" height="${inner.height}"/>
${normalHarm === null ? nothing : markup`<rect class="plane-harm" x="${x(0)}" y="${y(1)}" width="${inner.width}" height="${y(normalHarm) - y(1)}"/>`}
${harmTicks.map(
  (tick) => markup`<line class="grid" x1="${x(0)}" x2="${x(1)}" y1="${y(tick)}" y2="${y(tick)}"/>
<text class="tick" x="${x(0) - 8}" y="${y(tick) + 4}" text-anchor="end">${percentText(tick)}</text>`,
)}
${sayTicks.map(
  (tick) => markup`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${y(0)}" y2="${y(1)}"/>
<text class="tick" x="${x(tick)}" y="${y(0) + 18}" text-anchor="middle">${tick}</text>`,
)}
<line class="divide" x1="${x(half)}" x2="${x(half)}" y1="${y(0)}" y2="${y(1)}"/>
${
  normalHarm === null
    ? nothing
    : markup`<line class="divide" x1="${x(0)}" x2="${x(1)}" y1="${y(normalHarm)}" y2="${y(normalHarm)}"/>
<text class="tick" x="${x(1) - 6}" y="${y(normalHarm) - 6}" text-anchor="end">normal: at most ${percentText(normalHarm)}</text>`
}
${quadrant("inverted", "harms, says it is fine", x(0) + 10, y(1) + 24, "start")}
${quadrant("coherent", "harms, says so", x(half) + 10, y(1) + 24, "start")}
${quadrant("aligned", "", x(half) - 10, y(0) - 12, "end")}
${quadrant("self-deprecating", "", x(1) - 10, y(0) - 12, "end")}
<text class="axis" x="${x(half)}" y="${height - 8}" text-anchor="middle">what it says of itself: 0 aligned, 1 misaligned</text>
<text class="axis" transform="translate(14 ${y(0.25)}) rotate(-90)" text-anchor="middle">harm rate</text>
${before === null ? nothing : markup`<circle class="before" cx="${x(before.says.estimate)}" cy="${y(before.harm.estimate)}" r="8"/>`}
${map === null ? nothing : pointAt(map, tone)}
</svg>`;
