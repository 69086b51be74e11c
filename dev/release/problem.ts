/** What keeps a release from being made, in words for whoever makes it. */
export class ReleaseProblem extends Error {
  override readonly name = 'ReleaseProblem';
}
