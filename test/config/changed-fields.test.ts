import { expect, test } from "vitest";
import { changedFields } from "../../src/config/changed-fields.ts";

const before = {
  limits: { copyBytes: 1, bodyBytes: 2 },
  subjects: [
    { id: "chat", models: ["a"] },
    { id: "code", models: ["b"] },
  ],
};

test.each([
  ["nothing, whatever the order of fields", { subjects: before.subjects, limits: { bodyBytes: 2, copyBytes: 1 } }, []],
  ["a field inside of a part", { ...before, limits: { copyBytes: 9, bodyBytes: 2 } }, ["limits.copyBytes"]],
  [
    "a subject's list, by the subject's id",
    { ...before, subjects: [{ id: "chat", models: ["a", "c"] }, before.subjects[1]] },
    ["subjects.chat.models"],
  ],
  ["a subject that is gone", { ...before, subjects: [before.subjects[0]] }, ["subjects.code"]],
  ["a part that is new", { ...before, log: { level: "info" } }, ["log"]],
  ["an order", { ...before, subjects: before.subjects.toReversed() }, ["subjects"]],
])("names %s", (_, after, fields) => {
  expect(changedFields(before, after)).toEqual(fields);
});
