/** What the caller does not accept of an audit, and whether the audit shows it: the gate of a release. */
import type { Persona } from "../persona/verdict.ts";
import type { Regression } from "./compare.ts";
import type { AuditResult } from "./result.ts";

export interface ExitPolicy {
  personas: readonly Persona[];
  regressions: readonly Regression[];
}

/** Why the audit fails, in words; empty when it passes. A named regression without data fails: nobody saw it pass. */
export const failuresOf = ({ personas, regressions }: ExitPolicy, { persona, comparison }: AuditResult): string[] => [
  ...(personas.includes(persona.persona) ? [`persona ${persona.persona}`] : []),
  ...regressions.flatMap((name) => {
    const figure = comparison?.figures.find((compared) => compared.name === name);
    if (figure === undefined || figure.p === null)
      return [`regression ${name}: can't be told, there are no data of it`];
    return figure.worse ? [`regression ${name}`] : [];
  }),
];
