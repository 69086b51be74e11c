/** What `forebay audit` takes where nothing is said, and what it does not take. */

export const auditDefaults = { sample: '10000', grace: '1s' } as const;

export function sampleProblem(text: string | undefined): string | undefined {
  return text === undefined || /^[1-9]\d{0,8}$/.test(text) ? undefined : `"${text}" is no number of entries.`;
}
