import { Time } from '../parts/time.tsx'

/** When something happened that nobody saw: between two checks, or before the first one. */
export function OnsetWindow({ after, before }: { readonly after: string | null; readonly before: string | null }) {
  if (after === null) {
    return (
      <span>
        before the first check, <Time at={before} />
      </span>
    )
  }
  return (
    <span>
      between <Time at={after} />
      <br />
      and <Time at={before} />
    </span>
  )
}
