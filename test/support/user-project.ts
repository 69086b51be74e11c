/** What a project of a user's has that forebay is set up in. */

/** Its `tsconfig.json`: strict, and checked only. */
export const userTsconfig = JSON.stringify({
  compilerOptions: {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2022',
    skipLibCheck: true,
    types: ['node'],
  },
  include: ['src', 'workers'],
});
