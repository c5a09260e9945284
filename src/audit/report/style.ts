/** How the report looks, in light and dark; on paper it is light. */
export const style = `
:root { color-scheme: light dark; --page: #f6f7f9; --surface: #fff; --text: #1a2129; --quiet: #55606c; --edge: #d5dae0;
  --grid: #e3e7eb; --good: #1c6b3a; --bad: #a3161c; --warn: #7a4d00; --ink: #14539a; --fit: #6a3fa0; --plane: #fbeeee; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #12161b; --surface: #1b2128; --text: #e6eaee; --quiet: #a3adb8;
  --edge: #343d47; --grid: #2a323b; --good: #84d7a0; --bad: #ff9d9b; --warn: #f2c063; --ink: #8abcf5; --fit: #c5a3f2; --plane: #2b1f22; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 84rem; margin: 0 auto; }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; } h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; } .quiet, figcaption { color: var(--quiet); font-size: .9rem; }
section { margin-top: 1rem; padding: 1rem; background: var(--surface); border: 1px solid var(--edge); border-radius: 8px; }
.plots { columns: 30rem 2; column-gap: 1rem; margin-top: 1rem; } .plots section { margin: 0 0 1rem; break-inside: avoid; }
.persona { font-size: 1.4rem; font-weight: 700; } .good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--warn); }
ul { margin: .25rem 0; padding-left: 1.2rem; } li { overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; } tbody th { color: var(--quiet); padding-top: .8rem; }
figure { margin: 0; } svg { display: block; width: 100%; height: auto; } svg text { fill: var(--text); font: 13px system-ui, sans-serif; }
svg .tick, svg .axis { fill: var(--quiet); } svg .quadrant { font-weight: 700; font-size: 16px; }
.plane { fill: var(--surface); stroke: var(--edge); } .plane-harm { fill: var(--plane); } .grid { stroke: var(--grid); }
.divide { stroke: var(--quiet); stroke-dasharray: 6 5; } .whisker { stroke: var(--ink); stroke-width: 3; } .dot { fill: var(--ink); }
.before { fill: none; stroke: var(--quiet); stroke-width: 2; } .cross { stroke: var(--text); stroke-width: 2; }
.now { fill: currentColor; stroke: var(--surface); stroke-width: 2; } .point { fill: var(--ink); fill-opacity: .55; }
.fit { stroke: var(--fit); stroke-width: 2.5; } .control { stroke: var(--warn); stroke-width: 2; stroke-dasharray: 2 4; }
@media print { body { padding: 0; background: none; } section { break-inside: avoid; } }
`;
