import { useEffect } from 'react'
import { Link, Route, Switch, useRoute } from 'wouter'
import { usePathname } from 'wouter/use-browser-location'
import { ActivityPage } from './activity/activity-page.tsx'
import { FleetPage } from './fleet/fleet-page.tsx'
import { useFleet } from './live/use-fleet.ts'
import { ConnectionState } from './parts/connection-state.tsx'
import { Help } from './parts/help.tsx'
import { showInTab } from './parts/tab.ts'
import { ThemeButton } from './parts/theme-button.tsx'
import { ZoneButton } from './parts/zone-button.tsx'
import { TargetPage } from './target/target-page.tsx'

export function App() {
  const { rows, isComplete, connection } = useFleet()
  const drifting = rows.reduce((count, row) => count + row.out_of_sync, 0)
  const unknown = rows.reduce((count, row) => count + (row.sync_status === 'UNKNOWN' ? 1 : 0), 0)
  useEffect(() => {
    const isKnown = isComplete && (connection === 'live' || connection === 'polling')
    showInTab({ targets: rows.length, drifting, unknown, isKnown })
  }, [drifting, unknown, isComplete, connection, rows.length])

  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="bar">
        <Link href="/" className="brand">
          gitops-status
        </Link>
        <nav aria-label="Pages">
          <Tab href="/">Fleet</Tab>
          <Tab href="/activity">Activity</Tab>
        </nav>
        <ConnectionState />
        <ZoneButton />
        <ThemeButton />
        <Help />
      </header>
      <main id="content" tabIndex={-1}>
        <Switch>
          <Route path="/" component={FleetPage} />
          <Route path="/activity" component={ActivityPage} />
          <Route path="/targets/:repo/:server">
            <TargetAtThisAddress />
          </Route>
          <Route>
            <h1>There is no such page</h1>
            <p>
              <Link href="/">To the fleet</Link>
            </p>
          </Route>
        </Switch>
      </main>
    </>
  )
}

// From the path as it stands in the address bar: the router has decoded its own once already, and a name that holds
// `%3B` would be another one after the second time.
function TargetAtThisAddress() {
  const [repo = '', server = ''] = usePathname().replace(/\/$/, '').split('/').slice(-2).map(nameIn)
  return <TargetPage key={`${repo} ${server}`} repo={repo} server={server} />
}

function nameIn(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function Tab({ href, children }: { readonly href: string; readonly children: string }) {
  const [isHere] = useRoute(href)
  return (
    <Link href={href} aria-current={isHere ? 'page' : undefined}>
      {children}
    </Link>
  )
}
