/** The groups of recency and frequency, from the best to the lost, as the facts name them. */
export const RFM_GROUPS = [
  "champions",
  "loyal",
  "potential_loyalists",
  "new_customers",
  "promising",
  "need_attention",
  "about_to_sleep",
  "at_risk",
  "cannot_lose",
  "hibernating",
  "lost",
] as const;
