import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { fleetAsLeft, useWayBack } from './way-back.ts'

/** A link to the fleet as it was left. */
export function FleetLink({ children }: { readonly children: ReactNode }) {
  const goBack = useWayBack()
  return (
    <Link
      href={fleetAsLeft()}
      onClick={(event) => {
        event.preventDefault()
        goBack()
      }}
    >
      {children}
    </Link>
  )
}
