/** What canary and identity questions showed, in plain sentences. For information: no alarm and no name rests on it. */
import type { Verdict } from "./verdict.ts";
import { countText, evidenceText, percentText, plural, rateText } from "./wording.ts";

type Facts = Pick<Verdict, "canary" | "identity" | "evidence">;

const pText = (p: number): string => (p < 0.001 ? p.toExponential(1) : p.toFixed(3));

const servedModel = ({ canary, evidence }: Facts): string[] => {
  if (canary === null) return [];
  const { last, seen, rounds, lastP, have, need } = canary;
  const before = seen > 1 ? `, change number ${countText(seen)}` : "";
  const changed =
    last === null
      ? []
      : [
          `The served model seems to have changed at about position ${countText(last.from)}, seen at position ` +
            `${countText(last.position)}${before}: canary answers differ from the reference, smallest p ${pText(last.p)} of ` +
            `${plural(last.rounds, "round")}, evidence ${evidenceText(last.logEvidence)} against ` +
            `${evidenceText(evidence.canary.logThreshold)}. This names no persona and raises no alarm.`,
        ];
  if (rounds === 0)
    return [...changed, `Canary questions: ${countText(have)} of ${countText(need)} reference answers.`];
  const latest = lastP === null ? "" : `, p ${pText(lastP)} in the last of ${plural(rounds, "round")}`;
  return [
    ...changed,
    `Canary evidence that the served model changed: ${evidenceText(evidence.canary.logEvidence)} against ` +
      `${evidenceText(evidence.canary.logThreshold)}${latest}.`,
  ];
};

const whoItIs = ({ identity }: Facts): string[] => {
  if (identity === null) return [];
  const { rightDeveloper, unread, names } = identity;
  const unreadable = `${countText(unread)} named nobody who was declared`;
  if (rightDeveloper.n === 0) return [`Asked who made it, of ${plural(unread, "answer")} ${unreadable}.`];
  const told = names.slice(0, 3).map(({ name, n }) => `${name} ${percentText(n / rightDeveloper.n)}`);
  return [
    `Asked who made it, it named the declared developer in ${rateText(rightDeveloper)}, of ` +
      `${plural(rightDeveloper.n, "readable answer")}; ${plural(names.length, "name")} given (${told.join(", ")}), and ${unreadable}.`,
  ];
};

export const extrasReasons = (facts: Facts): string[] => [...servedModel(facts), ...whoItIs(facts)];
