import { expect, it } from "vitest";

import { draftOf, stagesOf, type Stages } from "./stages";

const SOME: Stages = {
  stages: [
    { code: "loyal", name: { en: "Loyal", "zh-CN": "忠诚" }, needs: "" },
    { code: "lost", name: {}, needs: "" },
  ],
  rules: [
    {
      stage: "loyal",
      when: { order_days: { at_least: 4, below: 9 }, p_alive: { above: 0.5 } },
      otherwise: { silence: { at_most: 2 } },
    },
    { stage: "lost", when: {}, otherwise: null },
  ],
  usual_gap_days: null,
};

it("comes back from editing as it was", () => {
  expect(stagesOf(draftOf(SOME))).toEqual(SOME);
});

it("leaves out what has no value yet", () => {
  const draft = draftOf(SOME);
  draft.rules[1]?.when.push({ field: "orders", limit: "above", value: null });
  draft.stages = draft.stages.map((one) => ({ ...one, name: { en: " " } }));
  expect(stagesOf(draft).rules).toEqual(SOME.rules);
  expect(stagesOf(draft).stages.map((one) => one.name)).toEqual([{}, {}]);
});
