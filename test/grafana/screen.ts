import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import { panelsOf, queryOf } from './dashboards-in-json.ts'
import { askInfinity, type Chosen, replacedInBrowser, type TimeRange } from './infinity-plugin.ts'
import { openedWith, type Shown, show } from './shown.ts'

export interface Looking {
  /** Of the server. */
  readonly url: string
  /** What is chosen at the top; all, until somebody does. */
  readonly chosen?: Chosen
  readonly range: TimeRange
}

/** What each panel of a dashboard shows to who opens it, by its title. */
export async function lookAt(dashboard: Dashboard, looking: Looking): Promise<Map<string, Shown>> {
  const screen = new Map<string, Shown>()
  for (const panel of panelsOf(dashboard)) screen.set(panel.title ?? '', await lookAtPanel(dashboard, panel, looking))
  return screen
}

async function lookAtPanel(dashboard: Dashboard, panel: Panel, { url, chosen, range }: Looking): Promise<Shown> {
  const values = { ...openedWith(dashboard), ...chosen }
  const frame = await askInfinity(url, replacedInBrowser(queryOf(panel), values, range), range)
  const texts = Object.entries(values).map(([name, value]) => [name, String(value)])
  return show(panel, frame, {
    values: { ...Object.fromEntries(texts), __url_time_range: 'from=now-24h&to=now' },
    now: range.to,
  })
}

/** The screen as text, for people to read: `[red]` after what is red. */
export function textOf(screen: ReadonlyMap<string, Shown>): string {
  return [...screen].map(([title, shown]) => `## ${title}\n${linesOf(shown).join('\n')}\n`).join('\n')
}

function linesOf(shown: Shown): string[] {
  switch (shown.type) {
    case 'nothing':
      return [shown.text]
    case 'tiles':
      return shown.tiles.map(({ title, text, color }) => `${title === '' ? '' : `${title}: `}${coloured(text, color)}`)
    case 'table':
      return [shown.columns.join(' | '), ...shown.rows.map((cells) => cells.map(cellText).join(' | '))]
    case 'series':
      return shown.series.map(
        ({ name, changes }) =>
          `${name}: ${changes.map(({ at, text, color }) => `${at.slice(5, 16)} ${coloured(text, color)}`).join(', ')}`,
      )
  }
}

function cellText({ text, color }: { readonly text: string; readonly color: string | null }): string {
  return coloured(text, color)
}

function coloured(text: string, color: string | null): string {
  return color === null ? text : `${text} [${color}]`
}
