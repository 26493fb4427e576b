import { Time } from '../parts/time.tsx'

/**
 * When something happened that nobody saw: after one check and before the end of the next, or before that of the first.
 * Checks are told by when they began: what the next one found may have been done while it ran.
 */
export function OnsetWindow({ after, before }: { readonly after: string | null; readonly before: string | null }) {
  if (after === null) {
    return (
      <span>
        found by the first check, of <Time at={before} />
      </span>
    )
  }
  return (
    <span>
      after the check of <Time at={after} />
      <br />
      found by that of <Time at={before} />
    </span>
  )
}
