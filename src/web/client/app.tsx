import { useEffect, useLayoutEffect } from 'react'
import { Link, Route, Switch, useRoute } from 'wouter'
import { usePathname } from 'wouter/use-browser-location'
import { visibleText } from '../visible-text.ts'
import { ActivityPage } from './activity/activity-page.tsx'
import { FleetLink } from './fleet/fleet-link.tsx'
import { FleetPage } from './fleet/fleet-page.tsx'
import { isNewPage, useWayBack } from './fleet/way-back.ts'
import { useFleet } from './live/use-fleet.ts'
import { ConnectionState } from './parts/connection-state.tsx'
import { Help } from './parts/help.tsx'
import { useKeys } from './parts/keys.ts'
import { showInTab } from './parts/tab.ts'
import { ThemeButton } from './parts/theme-button.tsx'
import { ZoneButton } from './parts/zone-button.tsx'
import { TargetPage } from './target/target-page.tsx'

export function App() {
  const path = usePathname()
  const { rows, isComplete, connection } = useFleet()
  const drifting = rows.reduce((count, row) => count + row.out_of_sync, 0)
  const unknown = rows.reduce((count, row) => count + (row.sync_status === 'UNKNOWN' ? 1 : 0), 0)
  useEffect(() => {
    const isKnown = isComplete && (connection === 'live' || connection === 'polling')
    showInTab({ page: pageIn(path), targets: rows.length, drifting, unknown, isKnown })
  }, [path, drifting, unknown, isComplete, connection, rows.length])

  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever another page is shown
  useLayoutEffect(() => {
    if (isNewPage()) scrollTo(0, 0)
  }, [path])
  const [isFleet] = useRoute('/')
  const goBack = useWayBack()
  useKeys({
    Escape: ({ target }) => {
      if (isFleet) return // there it clears the search
      if (target instanceof HTMLElement && target.matches('input, textarea, select')) target.blur()
      else goBack()
    },
  })

  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="bar">
        <Link href="/" className="brand" onClick={toTheTop}>
          gitops-status
        </Link>
        <nav aria-label="Pages">
          <FleetTab />
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

function toTheTop() {
  scrollTo(0, 0)
}

// From elsewhere it leads back to where one was; on the page itself to all of it.
function FleetTab() {
  const [isHere] = useRoute('/')
  if (!isHere) return <FleetLink>Fleet</FleetLink>
  return (
    <Link href="/" aria-current="page" onClick={toTheTop}>
      Fleet
    </Link>
  )
}

function Tab({ href, children }: { readonly href: string; readonly children: string }) {
  const [isHere] = useRoute(href)
  return (
    <Link href={href} aria-current={isHere ? 'page' : undefined}>
      {children}
    </Link>
  )
}

/** What the page of a path is about, for the title. */
function pageIn(path: string): string | null {
  if (/\/activity\/?$/.test(path)) return 'Activity'
  const [, server] = /\/targets\/[^/]+\/([^/]+)\/?$/.exec(path) ?? []
  return server === undefined ? null : visibleText(nameIn(server))
}
