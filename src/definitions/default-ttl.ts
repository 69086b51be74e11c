/** Usual lives of cached values, in seconds. */
export const DEFAULT_TTL = {
  SHORT: 60,
  MEDIUM: 300,
  STANDARD: 900,
  LONG: 3_600,
  VERY_LONG: 86_400,
  WEEK: 604_800,
} as const;
