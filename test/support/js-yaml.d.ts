/** Of js-yaml, what the tests use. */
declare module 'js-yaml' {
  export function load(text: string): unknown;
}
