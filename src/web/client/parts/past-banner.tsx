import type { ReactNode } from 'react'
import { Ago, Time } from './time.tsx'

interface Props {
  readonly at: number
  readonly onNow: () => void
  readonly children?: ReactNode
}

/** Says that a page shows a moment in the past, so that nobody takes it for now. */
export function PastBanner({ at, onNow, children }: Props) {
  return (
    <div className="then" role="status">
      <b>The past, not now.</b>
      <span>
        As it was known on <Time at={at} form="time" />. That was <Ago epochMs={at} />.
      </span>
      {children}
      <button type="button" onClick={onNow}>
        Back to now
      </button>
    </div>
  )
}
