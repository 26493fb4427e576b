import Type from 'typebox'

/** A target in a path. */
export const TARGET_PARAMS = Type.Object({
  repo: Type.String({ description: 'Percent-encoded: `owner%2Fname`.' }),
  server: Type.String({ description: 'Percent-encoded.' }),
})
