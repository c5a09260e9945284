import { expect, test } from "vitest";
import { assess, createState, defaultSettings, type PersonaState, step } from "../../src/persona/persona.ts";

const tell = (state: PersonaState, name: string | null, right: boolean, times = 1): void => {
  for (let n = 0; n < times; n += 1) step(state, { kind: "identity", name, right }, state.position + 1);
};

test("who it says it is is counted, told, and names or alarms nothing", () => {
  const state = createState(defaultSettings);
  expect(assess(state).identity).toBeNull();
  tell(state, null, false, 2);
  expect(assess(state).reasons.at(-1)).toBe("Asked who made it, of 2 answers 2 named nobody who was declared.");
  tell(state, "Other", false, 3);
  tell(state, "Acme", true, 9);
  const { identity, persona, severity, alarms, reasons } = assess(state);
  expect(identity).toMatchObject({
    rightDeveloper: { estimate: 0.75, n: 12 },
    unread: 2,
    names: [
      { name: "Acme", n: 9 },
      { name: "Other", n: 3 },
    ],
  });
  expect({ persona, severity, alarms }).toEqual({ persona: "undetermined", severity: "none", alarms: [] });
  expect(reasons.at(-1)).toMatch(
    /^Asked who made it, it named the declared developer in 75 %, 95 % interval \d+ to \d+ %, of 12 readable answers; 2 names given \(Acme 75 %, Other 25 %\), and 2 named nobody who was declared\.$/,
  );
});

test("names without end are counted under one", () => {
  const state = createState(defaultSettings);
  for (let n = 0; n < 40; n += 1) tell(state, `name ${n}`, false);
  const { identity } = assess(state);
  expect(identity?.names).toHaveLength(17);
  expect(identity?.names[0]).toEqual({ name: "other", n: 24 });
});

test("a new epoch asks anew", () => {
  const state = createState(defaultSettings);
  tell(state, "Acme", true);
  step(state, { kind: "epoch" }, 2);
  expect(assess(state).identity).toBeNull();
});
