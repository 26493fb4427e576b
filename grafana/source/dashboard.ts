import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { TAG, topLinks } from './links.ts'
import { variables } from './variables.ts'

// The one that Grafana 11 writes. Newer versions bring it up to date when they load it; an older Grafana would not
// know what to do with a newer number.
const SCHEMA_VERSION = 39

export interface BuildOptions {
  /** Where browsers find the status page, for links. */
  readonly statusPage: string
}

export function dashboard(
  { uid, title, description }: { readonly uid: string; readonly title: string; readonly description: string },
  panels: readonly Builder<Panel>[],
  options: BuildOptions,
): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .readonly()
    // Half of the period in which a report is due: nothing on show is much older than what the server knows.
    .refresh('1m')
    .time({ from: 'now-24h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .links(topLinks())
    .variables(variables(options))
  for (const panel of panels) builder.withPanel(panel)
  return withoutNoise({ ...builder.build(), schemaVersion: SCHEMA_VERSION })
}

/** What the builders add of their own: a place for links in a menu where nobody looks, and settings of other variables. */
function withoutNoise(built: Dashboard): Dashboard {
  return {
    ...built,
    links: (built.links ?? []).map(({ placement: _, ...link }) => link),
    templating: {
      list: (built.templating.list ?? []).map(
        ({ auto: _, auto_min: _min, auto_count: _count, ...variable }) => variable,
      ),
    },
  }
}
