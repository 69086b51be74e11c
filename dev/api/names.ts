/** What api-extractor's model says of the names of an entry point: their docstrings and types. */

/** A part of the model, as far as it is used here. */
export interface ApiItem {
  readonly kind: string;
  readonly name: string;
  /** With `!~` for what an entry point uses and does not export. */
  readonly canonicalReference?: string;
  readonly docComment?: string;
  readonly excerptTokens?: readonly { readonly text: string }[];
  readonly propertyTypeTokenRange?: { readonly startIndex: number; readonly endIndex: number };
  readonly isOptional?: boolean;
  readonly members?: readonly ApiItem[];
}

/** Of a package's model: what its one entry point has. */
export function namesOf(model: ApiItem): readonly ApiItem[] {
  return (model.members ?? []).flatMap(({ members = [] }) => members);
}
