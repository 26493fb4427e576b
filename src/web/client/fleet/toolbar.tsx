import { useMemo, useRef } from 'react'
import type { StatusRow } from '../../../contract/status-json.ts'
import { useKeys } from '../parts/keys.ts'
import { type Group, personsOf, type View, type Wish } from './wish.ts'

interface Props {
  readonly rows: readonly StatusRow[]
  readonly wish: Wish
  readonly change: (part: Partial<Wish>) => void
}

const GROUP_WORD: Readonly<Record<Group, string>> = {
  none: 'No groups',
  repo: 'By repository',
  drift: 'By the same drift',
}
const VIEW_WORD: Readonly<Record<View, string>> = { table: 'Table', tiles: 'Tiles' }

export function Toolbar({ rows, wish, change }: Props) {
  const search = useRef<HTMLInputElement>(null)
  useKeys({
    '/': (event) => {
      event.preventDefault()
      search.current?.focus()
    },
    Escape: () => {
      if (wish.search !== '') change({ search: '' })
      search.current?.blur()
    },
  })
  const repos = useMemo(() => [...new Set(rows.map(({ repo }) => repo))], [rows])
  const servers = useMemo(() => [...new Set(rows.map(({ server }) => server))].sort(), [rows])
  const persons = useMemo(() => [...new Set(rows.flatMap(personsOf))].sort(), [rows])

  return (
    <search className="toolbar">
      <input
        ref={search}
        type="search"
        placeholder="Search targets, files, commits  ( / )"
        aria-label="Search targets, files, commits"
        aria-keyshortcuts="/"
        value={wish.search}
        onChange={({ target }) => change({ search: target.value })}
      />
      {repos.length > 1 && (
        <Choice
          label="Repository"
          all="All repositories"
          values={repos}
          value={wish.repo}
          onChange={(repo) => change({ repo })}
        />
      )}
      {servers.length > 1 && servers.length <= 500 && (
        <Choice
          label="Server"
          all="All servers"
          values={servers}
          value={wish.server}
          onChange={(server) => change({ server })}
        />
      )}
      {(persons.length > 0 || wish.who !== '') && (
        <Choice
          label="Changed by"
          all="By anyone"
          values={persons}
          value={wish.who}
          onChange={(who) => change({ who })}
        />
      )}
      <select aria-label="Group" value={wish.group} onChange={({ target }) => change({ group: target.value as Group })}>
        {Object.entries(GROUP_WORD).map(([group, word]) => (
          <option key={group} value={group}>
            {word}
          </option>
        ))}
      </select>
      <select aria-label="View" value={wish.view} onChange={({ target }) => change({ view: target.value as View })}>
        {Object.entries(VIEW_WORD).map(([view, word]) => (
          <option key={view} value={view}>
            {word}
          </option>
        ))}
      </select>
    </search>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly all: string
  readonly values: readonly string[]
  readonly value: string
  readonly onChange: (value: string) => void
}

function Choice({ label, all, values, value, onChange }: ChoiceProps) {
  // A name in the address that nobody has any more is still what was asked for.
  const shown = value === '' || values.includes(value) ? values : [value, ...values]
  return (
    <select aria-label={label} value={value} onChange={({ target }) => onChange(target.value)}>
      <option value="">{all}</option>
      {shown.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  )
}
