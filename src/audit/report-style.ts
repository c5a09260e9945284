/** How an audit's page looks, in light and in dark; the colours are the dashboard's. Loads nothing. */
import type { Markup } from "./markup.ts";

export const reportStyle: Markup = {
  markup: `
:root { color-scheme: light dark; --page: #f6f7f9; --surface: #fff; --text: #1a2129; --quiet: #55606c; --edge: #d5dae0;
  --grid: #e3e7eb; --mark: #6b7682; --good: #1c6b3a; --good-back: #dff2e5; --bad: #a3161c; --bad-back: #fde3e3;
  --plain-back: #e8ebef; --now: #14539a; --bar: #cfdff1; --said: #8a4b00; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161b; --surface: #1b2128; --text: #e6eaee; --quiet: #a3adb8; --edge: #343d47; --grid: #2a323b;
    --mark: #95a0ab; --good: #84d7a0; --good-back: #1b3a28; --bad: #ff9d9b; --bad-back: #4a1d1f; --plain-back: #2a323b;
    --now: #8abcf5; --bar: #24415f; --said: #f2c063; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1360px; margin: 0 auto; padding: 24px 16px; }
h1, td, dd, li { overflow-wrap: anywhere; }
section { background: var(--surface); border: 1px solid var(--edge); border-radius: 8px; padding: 16px; margin: 16px 0; }
h2, h3 { margin: 0 0 8px; }
h3 { font-size: 1rem; }
.verdict { margin: 0 0 12px; padding: 8px 12px; border-radius: 6px; font-size: 1.15rem; }
.verdict ul { margin: 4px 0 0; font-size: 1rem; }
.verdict.good { color: var(--good); background: var(--good-back); }
.verdict.bad { color: var(--bad); background: var(--bad-back); }
.verdict.plain { background: var(--plain-back); }
.worse { color: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 24px; align-items: start; }
figure { margin: 0; }
figcaption, caption { color: var(--quiet); font-size: 0.875rem; text-align: left; }
svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 16px 4px 0; border-bottom: 1px solid var(--edge); font-weight: normal; }
thead th { color: var(--quiet); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; white-space: pre-wrap; }
text { fill: var(--text); font: 14px system-ui, sans-serif; }
text.tick { fill: var(--quiet); font-size: 12px; }
text.axis { fill: var(--quiet); }
text.quadrant { font-weight: 600; }
.grid { stroke: var(--grid); }
.divide { stroke: var(--mark); stroke-dasharray: 5 4; }
.right { stroke: var(--mark); }
.bar { fill: var(--bar); }
.whisker { stroke-width: 2; }
.whisker.now { stroke: var(--now); }
.whisker.said { stroke: var(--said); }
.whisker.before { stroke: var(--mark); }
.dot.now { fill: var(--now); }
.dot.said { fill: var(--surface); stroke: var(--said); stroke-width: 2; }
.dot.before { fill: var(--surface); stroke: var(--mark); stroke-width: 2; }
.point { fill-opacity: 0.55; }
.point.harmful { fill: var(--bad); }
.point.harmless { fill: var(--now); }
`,
};
